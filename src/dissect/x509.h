/* X.509 certificates (RFC 5280): the tree of one on the tape, and the few facts that a summary
 * needs. */
#ifndef TLSWIRE_DISSECT_X509_H
#define TLSWIRE_DISSECT_X509_H

#include "base/buf.h"
#include "dissect/tape.h"

/* Adds the tree of the DER certificate at OFFSET, of LENGTH bytes, of source SOURCE below the item
 * that is open, and puts the subject's name behind that item's text.  ITEM is the item's event,
 * TAPE_NONE when nobody wants it.  PROTOCOLS, which may be NULL, gets the modules that were needed
 * as frame.protocols names them, each with a colon before it: ":x509sat:x509ce".
 *
 * A raw public key (RFC 7250), which TLS sends in the place of a certificate, is known by its shape.
 *
 * Returns F_NONE; or, when the bytes end inside a value, the PROTOCOL row of the module that was
 * reading ("[Malformed Packet: X509CE]" names it): the rest of the packet is not to
 * be trusted. */
enum field_id x509_certificate(struct tape *t, uint32_t item, uint8_t source, uint32_t offset,
                               uint32_t length, struct buf *protocols);

/* The same for an OCSP response (RFC 6960 4.2.1), with an item of its own, "OCSP Response". */
enum field_id x509_ocsp_response(struct tape *t, uint8_t source, uint32_t offset, uint32_t length,
                                 struct buf *protocols);

/* The same for a distinguished name alone, below the item that is open, as certificate requests
 * list them: FIELD is the item of its SEQUENCE OF. */
enum field_id x509_distinguished_name(struct tape *t, enum field_id field, uint8_t source,
                                      uint32_t offset, uint32_t length, struct buf *protocols);

/* The same for a public key alone, a SubjectPublicKeyInfo, below the item that is open. */
enum field_id x509_public_key(struct tape *t, uint8_t source, uint32_t offset, uint32_t length,
                              struct buf *protocols);

/* The value of the certificate extension OID, below the item that is open; nothing when it is not known. */
void x509_extension_value(struct tape *t, struct slice oid, uint8_t source, uint32_t offset,
                          uint32_t length, struct buf *protocols);

#define X509_TEXT_BYTES 128

struct x509_facts {
    char subject[X509_TEXT_BYTES]; /* common name, or the last attribute there is; UTF-8, may be ""
                                    */
    char issuer[X509_TEXT_BYTES];
    char key[X509_TEXT_BYTES]; /* "RSA 2048", "ECDSA P-256", "Ed25519"; else the algorithm's name */
    char signature[X509_TEXT_BYTES]; /* name of the algorithm, "sha256WithRSAEncryption" */
    bool self_issued;                /* subject and issuer are the same bytes */
    bool has_times;
    int64_t not_before, not_after; /* nanoseconds since 1970 */
    struct slice serial;           /* bytes of the number */
};

/* Reads them from the DER certificate; false when it is none.  Pure: nothing is kept, no bytes
 * copied but the texts, which are cut to fit. */
bool x509_read(struct slice certificate, struct x509_facts *out);

/* Appends the common names; false when CERTIFICATE is none. */
bool x509_names(struct slice certificate, struct buf *subject, struct buf *issuer);

#endif
