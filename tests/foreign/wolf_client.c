/* A client by wolfSSL that trusts one CA, asks for / and prints what comes.
 *
 * usage: wolf_client PORT CA-FILE 1.2|1.3      exit code 0 after the server's close_notify */
#include <wolfssl/options.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wolfssl/ssl.h>

static int fail(WOLFSSL *ssl, int result, const char *what)
{
    char text[WOLFSSL_MAX_ERROR_SZ];
    int code = wolfSSL_get_error(ssl, result);
    fprintf(stderr, "%s: %s\n", what, wolfSSL_ERR_error_string((unsigned long)code, text));
    return 1;
}

static int talk(WOLFSSL *ssl)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    char text[4096];
    int n = wolfSSL_connect(ssl);
    if (n != WOLFSSL_SUCCESS)
        return fail(ssl, n, "handshake");
    fprintf(stderr, "%s %s\n", wolfSSL_get_version(ssl), wolfSSL_get_cipher(ssl));
    wolfSSL_write(ssl, request, (int)strlen(request));
    while ((n = wolfSSL_read(ssl, text, sizeof(text))) > 0)
        fwrite(text, 1, (size_t)n, stdout);
    return wolfSSL_get_error(ssl, n) == WOLFSSL_ERROR_ZERO_RETURN ? 0 : fail(ssl, n, "end");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    wolfSSL_Init();
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(strcmp(argv[3], "1.2") == 0 ? wolfTLSv1_2_client_method()
                                                                   : wolfTLSv1_3_client_method());
    if (!ctx || wolfSSL_CTX_load_verify_locations(ctx, argv[2], NULL) != WOLFSSL_SUCCESS ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return 2;
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER, NULL);
    WOLFSSL *ssl = wolfSSL_new(ctx);
    wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, "localhost", 9);
    wolfSSL_check_domain_name(ssl, "localhost");
    wolfSSL_set_fd(ssl, fd);
    return talk(ssl);
}
