#include "endpoint/http.h"

#include "endpoint/status_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* ---- requests ---- */

enum request_state http_head(struct slice head, size_t *len)
{
    /* Anything that is not a word at the start is not HTTP; do not wait for more of it. */
    for (size_t i = 0; i < head.len && i < 3; i++)
        if (slice_at(head, i) < 'A' || slice_at(head, i) > 'Z')
            return REQUEST_BAD;
    for (size_t i = 0; i < head.len; i++) {
        if (slice_at(head, i) != '\n')
            continue;
        uint8_t next = slice_at(head, i + 1);
        bool crlf = next == '\r' && slice_at(head, i + 2) == '\n';
        if (next == '\n' || crlf) {
            *len = i + (crlf ? 3 : 2);
            return *len <= REQUEST_CEILING ? REQUEST_COMPLETE : REQUEST_BAD;
        }
    }
    return head.len < REQUEST_CEILING ? REQUEST_UNFINISHED : REQUEST_BAD;
}

static struct slice take_line(struct slice *s)
{
    size_t len = 0;
    while (len < s->len && slice_at(*s, len) != '\n')
        len++;
    struct slice line = slice_take(s, len);
    if (s->len > 0)
        slice_skip(s, 1);
    if (line.len > 0 && slice_at(line, line.len - 1) == '\r')
        line = slice_sub(line, 0, line.len - 1);
    return line;
}

static struct slice take_word(struct slice *line)
{
    size_t len = 0;
    while (len < line->len && slice_at(*line, len) != ' ')
        len++;
    struct slice word = slice_take(line, len);
    while (line->len > 0 && slice_at(*line, 0) == ' ')
        slice_skip(line, 1);
    return word;
}

static bool copy(char *text, size_t size, struct slice from)
{
    size_t len = from.len;
    if (len >= size)
        return false;
    (void)slice_read(&from, text, len);
    text[len] = '\0';
    return true;
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool http_read_target(struct http_request *r, struct slice target)
{
    size_t len = 0;
    if (slice_at(target, 0) != '/')
        return false;
    while (target.len > 0 && slice_at(target, 0) != '?' && slice_at(target, 0) != '#') {
        uint8_t c = slice_u8(&target);
        if (c == '%') {
            int high = hex_digit(slice_at(target, 0)), low = hex_digit(slice_at(target, 1));
            if (high < 0 || low < 0)
                return false;
            slice_skip(&target, 2);
            c = (uint8_t)(high << 4 | low);
        }
        if (c == '\0' || len + 1 >= sizeof(r->path))
            return false;
        r->path[len++] = (char)c;
    }
    r->path[len] = '\0';
    return true;
}

static void read_field(struct http_request *r, struct slice line)
{
    char text[600];
    if (!copy(text, sizeof(text), line))
        return;
    char *value = strchr(text, ':');
    if (!value)
        return;
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(text, "Accept") == 0)
        snprintf(r->accept, sizeof(r->accept), "%.511s", value);
    else if (strcasecmp(text, "Connection") == 0)
        r->close = strcasestr(value, "close") || (r->close && !strcasestr(value, "keep-alive"));
    else if ((strcasecmp(text, "Content-Length") == 0 && strcmp(value, "0") != 0) ||
             strcasecmp(text, "Transfer-Encoding") == 0)
        r->close = true; /* its body is not read: what follows is no request */
}

void http_read_head(struct http_request *r, struct slice head)
{
    *r = (struct http_request){.carried = "HTTP/1.0"};
    struct slice line = take_line(&head);
    bool fine = copy(r->method, sizeof(r->method), take_word(&line));
    struct slice target = take_word(&line);
    r->http_1_1 = slice_is(line, "HTTP/1.1");
    r->close = !r->http_1_1;
    if (r->http_1_1)
        r->carried = "HTTP/1.1";
    while (head.len > 0)
        read_field(r, take_line(&head));
    bool known = slice_is(slice_sub(line, 0, 7), "HTTP/1.") || line.len == 0;
    if (!fine || !known || !http_read_target(r, target))
        r->status = !known ? 505 : 400;
    if (r->status)
        r->close = true;
}

/* ---- responses ---- */

const char *http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {301, "Moved Permanently"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {500, "Internal Server Error"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

void http_date(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm utc;
    if (!gmtime_r(&now, &utc) || strftime(text, size, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0)
        text[0] = '\0';
}

void http_refuse(struct http_response *r, unsigned status)
{
    r->status = status;
    r->type = "text/plain; charset=utf-8";
    buf_clear(&r->body);
    buf_printf(&r->body, "%u %s\n", status, http_reason(status));
}

void http_respond(struct answer *a, const struct http_request *request, struct http_response *r)
{
    *r = (struct http_response){.fd = -1, .body = {.ceiling = (size_t)1 << 20}};
    if (request->status)
        http_refuse(r, request->status);
    else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        http_refuse(r, 405);
    else if (a->answers->config.name == ANSWER_WWW)
        status_page(a, request, r);
    else
        http_files_respond(a, request, r);
    if (r->fd < 0)
        r->size = r->body.len;
}

void http_response_free(struct http_response *r)
{
    buf_free(&r->body);
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

ssize_t http_body(struct http_response *r, uint8_t *bytes, size_t size)
{
    uint64_t left = r->size - r->sent;
    size_t want = left < size ? (size_t)left : size;
    ssize_t count = (ssize_t)want;
    if (r->fd >= 0) {
        do
            count = pread(r->fd, bytes, want, (off_t)r->sent);
        while (count < 0 && errno == EINTR);
        if (count < (ssize_t)want && count >= 0 && (count == 0 && want > 0))
            return -1; /* the file has become shorter */
    } else {
        struct slice part = slice_sub(buf_slice(&r->body), (size_t)r->sent, want);
        (void)slice_read(&part, bytes, want);
    }
    if (count > 0)
        r->sent += (uint64_t)count;
    return count;
}

/* ---- turns ---- */

static void turn_comes(uv_idle_t *idle)
{
    struct turn *t = idle->data;
    uv_idle_stop(idle);
    t->run(t->answer);
}

static void turn_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void turn_init(struct turn *t, struct answer *answer, void (*run)(struct answer *))
{
    uv_idle_init(answer->answers->loop, &t->idle);
    t->idle.data = t;
    t->run = run;
    t->answer = answer;
}

void turn_ask(struct turn *t)
{
    uv_idle_start(&t->idle, turn_comes);
}

void turn_free(struct turn *t)
{
    t->answer = NULL;
    uv_close((uv_handle_t *)&t->idle, turn_closed);
}
