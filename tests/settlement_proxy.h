/* A stretch of wire that can be cut: a unix socket that passes everything on to PostgreSQL's, counts
 * the client's messages (https://www.postgresql.org/docs/15/protocol-message-formats.html) and cuts
 * the connection at a stated one: before it reaches the server, or after the server has carried it
 * out and before the client hears of it. A thread of its own serves one connection at a time. */
#ifndef KASHI_TESTS_SETTLEMENT_PROXY_H
#define KASHI_TESTS_SETTLEMENT_PROXY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define PROXY_PATH_SIZE 100

enum proxy_cut { PROXY_NEVER, PROXY_BEFORE, PROXY_AFTER };

struct proxy {
    char path[PROXY_PATH_SIZE];   /* its own socket */
    char server[PROXY_PATH_SIZE]; /* PostgreSQL's */
    int listener;
    pthread_t thread;
    atomic_int cut;      /* enum proxy_cut */
    atomic_int cut_at;   /* message of the connection, from 1 */
    atomic_int messages; /* of the present connection so far */
    atomic_bool down;    /* refuse every connection, as when no server runs */
    atomic_bool stop;
};

/* Serves `folder`/.s.PGSQL.5432 for the server's socket in `server_folder`; false when it cannot. */
bool proxy_start(struct proxy *proxy, const char *folder, const char *server_folder);
void proxy_stop(struct proxy *proxy);
/* For the next connection; its first message has the number 1. */
void proxy_cut(struct proxy *proxy, enum proxy_cut cut, int cut_at);

#endif
