#include "tests/settlement_proxy.h"

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PIECE_SIZE     65536
#define ANSWER_WAIT_MS 2000

/* Where in the client's stream we are: within a message, or within the five bytes before one. */
struct messages {
    bool begun; /* the first message, which has no type, is over */
    uint8_t type;
    uint32_t head; /* bytes of type and length seen */
    uint32_t length;
    uint32_t left; /* bytes of the body still to come */
};

static bool unix_address(struct sockaddr_un *address, const char *path)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    return snprintf(address->sun_path, sizeof(address->sun_path), "%s", path) <
           (int)sizeof(address->sun_path);
}

static bool send_all(int to, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(to, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Takes one byte of the stream; true when it ends a message. */
static bool message_ends(struct messages *messages, uint8_t byte)
{
    if (messages->left > 0) {
        return --messages->left == 0;
    }
    uint32_t length_from = messages->begun ? 1 : 0;
    if (messages->head < length_from) {
        messages->type = byte;
    } else {
        messages->length = messages->length << 8 | byte;
    }
    if (++messages->head < length_from + 4) {
        return false;
    }
    messages->left = messages->length - 4;
    messages->head = 0;
    messages->length = 0;
    messages->begun = true;
    return messages->left == 0;
}

/* Whether the server answers a message of this type at once: query, sync, end of a COPY. */
static bool is_answered(uint8_t type)
{
    return type == 'Q' || type == 'S' || type == 'c' || type == 0;
}

/* False: the connection is to be cut. */
static bool pass_client(struct proxy *proxy, struct messages *messages, int client, int server)
{
    uint8_t piece[PIECE_SIZE];
    ssize_t size = recv(client, piece, sizeof(piece), 0);
    if (size <= 0) {
        return false;
    }
    size_t from = 0;
    for (size_t at = 0; at < (size_t)size; at++) {
        size_t start = from;
        if (!message_ends(messages, piece[at])) {
            continue;
        }
        int number = atomic_fetch_add(&proxy->messages, 1) + 1;
        from = at + 1;
        int cut = atomic_load(&proxy->cut);
        bool here = cut != PROXY_NEVER && number == atomic_load(&proxy->cut_at);
        if (here && cut == PROXY_BEFORE) {
            return false;
        }
        if (!send_all(server, piece + start, from - start)) {
            return false;
        }
        if (here) {
            struct pollfd answer = {.fd = server, .events = POLLIN, .revents = 0};
            if (is_answered(messages->type)) {
                (void)poll(&answer, 1, ANSWER_WAIT_MS);
            }
            return false;
        }
    }
    return send_all(server, piece + from, (size_t)size - from);
}

static void serve(struct proxy *proxy, int client)
{
    struct sockaddr_un address;
    struct messages messages = {0};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool open = server >= 0 && unix_address(&address, proxy->server) &&
                connect(server, (const struct sockaddr *)&address, sizeof(address)) == 0;
    atomic_store(&proxy->messages, 0);
    while (open && !atomic_load(&proxy->stop) && !atomic_load(&proxy->down)) {
        struct pollfd ends[2] = {{.fd = client, .events = POLLIN, .revents = 0},
                                 {.fd = server, .events = POLLIN, .revents = 0}};
        if (poll(ends, 2, 50) <= 0) {
            continue;
        }
        if (ends[0].revents != 0) {
            open = pass_client(proxy, &messages, client, server);
        }
        if (open && ends[1].revents != 0) {
            uint8_t piece[PIECE_SIZE];
            ssize_t size = recv(server, piece, sizeof(piece), 0);
            open = size > 0 && send_all(client, piece, (size_t)size);
        }
    }
    if (server >= 0) {
        close(server);
    }
}

static void *run(void *context)
{
    struct proxy *proxy = context;
    while (!atomic_load(&proxy->stop)) {
        struct pollfd listener = {.fd = proxy->listener, .events = POLLIN, .revents = 0};
        if (poll(&listener, 1, 50) <= 0) {
            continue;
        }
        int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0) {
            serve(proxy, client);
            close(client);
        }
    }
    return NULL;
}

bool proxy_start(struct proxy *proxy, const char *folder, const char *server_folder)
{
    struct sockaddr_un address;
    memset(proxy, 0, sizeof(*proxy));
    if (snprintf(proxy->path, PROXY_PATH_SIZE, "%s/.s.PGSQL.5432", folder) >= PROXY_PATH_SIZE ||
        snprintf(proxy->server, PROXY_PATH_SIZE, "%s/.s.PGSQL.5432", server_folder) >=
            PROXY_PATH_SIZE ||
        !unix_address(&address, proxy->path)) {
        return false;
    }
    proxy->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->listener < 0) {
        return false;
    }
    if (bind(proxy->listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(proxy->listener, 8) != 0 || pthread_create(&proxy->thread, NULL, run, proxy) != 0) {
        close(proxy->listener);
        return false;
    }
    return true;
}

void proxy_stop(struct proxy *proxy)
{
    atomic_store(&proxy->stop, true);
    (void)pthread_join(proxy->thread, NULL);
    close(proxy->listener);
    (void)unlink(proxy->path);
}

void proxy_cut(struct proxy *proxy, enum proxy_cut cut, int cut_at)
{
    atomic_store(&proxy->cut_at, cut_at);
    atomic_store(&proxy->cut, cut);
}
