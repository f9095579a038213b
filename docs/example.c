/* Prints the server name and the JA3 hash of every ClientHello in a capture.
 *
 *   cc example.c -o example $(pkg-config --cflags --libs libtlswire)
 *   ./example capture.pcapng */
#include <stdio.h>
#include <tlswire/tlswire.h>

static void print_first(struct tlswire_engine *engine, uint32_t field)
{
    size_t at = tlswire_find(engine, field, 0);
    printf("\t%s", at == TLSWIRE_END ? "-" : tlswire_event_text(engine, at));
}

static int print_hellos(struct tlswire_file *file, struct tlswire_engine *engine,
                        struct tlswire_filter *hello)
{
    uint32_t number = tlswire_field_find("frame.number");
    uint32_t name = tlswire_field_find("tls.handshake.extensions_server_name");
    uint32_t ja3 = tlswire_field_find("tls.handshake.ja3");
    tlswire_want_filter(engine, hello);
    tlswire_want(engine, number);
    tlswire_want(engine, name);
    tlswire_want(engine, ja3);

    enum tlswire_result result;
    while ((result = tlswire_file_next(file, engine)) == TLSWIRE_PACKET) {
        if (!tlswire_match(engine, hello))
            continue;
        printf("%s", tlswire_event_text(engine, tlswire_find(engine, number, 0)));
        print_first(engine, name);
        print_first(engine, ja3);
        putchar('\n');
    }
    if (result == TLSWIRE_ERROR)
        fprintf(stderr, "%s\n", tlswire_file_error(file));
    return result == TLSWIRE_ERROR;
}

int main(int argc, char **argv)
{
    char error[256] = "out of memory";
    struct tlswire_file *file = tlswire_file_open(argc > 1 ? argv[1] : "-", error, sizeof error);
    struct tlswire_filter *hello =
        file ? tlswire_filter_new("tls.handshake.type == 1", error, sizeof error) : NULL;
    struct tlswire_engine *engine = hello ? tlswire_engine_new() : NULL;
    int status = 1;
    if (engine)
        status = print_hellos(file, engine, hello);
    else
        fprintf(stderr, "%s\n", error);
    tlswire_engine_free(engine);
    tlswire_filter_free(hello);
    tlswire_file_close(file);
    return status;
}
