#include "pricing/pg.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct pg {
    PGconn *connection;
    PGresult *answer; /* of the last statement */
    bool connecting;
    bool sent; /* a statement is under way */
    bool unflushed;
    PostgresPollingStatusType wants; /* while connecting */
};

/* libpq ends its sentences with a newline. */
static int fail(const struct pg *pg, int code, struct error *error)
{
    const char *text = PQerrorMessage(pg->connection);
    return error_set(error, code, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
}

int pg_begin(struct pg **pg, const char *url, struct error *error)
{
    struct pg *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return error_set(error, ERROR_IO, "PostgreSQL: no memory for a connection");
    }
    made->connection = PQconnectStart(url);
    made->connecting = true;
    made->wants = PGRES_POLLING_WRITING;
    if (made->connection == NULL || PQstatus(made->connection) == CONNECTION_BAD) {
        int code = fail(made, ERROR_LOST, error);
        pg_end(made);
        return code;
    }
    *pg = made;
    return 0;
}

void pg_end(struct pg *pg)
{
    if (pg != NULL) {
        PQclear(pg->answer);
        PQfinish(pg->connection);
        free(pg);
    }
}

static int poll_connecting(struct pg *pg, struct error *error)
{
    pg->wants = PQconnectPoll(pg->connection);
    if (pg->wants == PGRES_POLLING_FAILED) {
        return fail(pg, ERROR_LOST, error);
    }
    if (pg->wants != PGRES_POLLING_OK) {
        return 0;
    }
    pg->connecting = false;
    return PQsetnonblocking(pg->connection, 1) == 0 ? 1 : fail(pg, ERROR_LOST, error);
}

/* Keeps the first result; a statement without error has one. */
static int take_answer(struct pg *pg, struct error *error)
{
    while (!PQisBusy(pg->connection)) {
        PGresult *result = PQgetResult(pg->connection);
        if (result == NULL) {
            pg->sent = false;
            return 1;
        }
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            PQclear(result);
            return fail(pg, PQstatus(pg->connection) == CONNECTION_BAD ? ERROR_LOST : ERROR_IO,
                        error);
        }
        PQclear(pg->answer);
        pg->answer = result;
    }
    return 0;
}

static int flush(struct pg *pg, struct error *error)
{
    int left = PQflush(pg->connection);
    pg->unflushed = left > 0;
    return left >= 0 ? 0 : fail(pg, ERROR_LOST, error);
}

int pg_poll(struct pg *pg, struct error *error)
{
    if (pg->connecting) {
        return poll_connecting(pg, error);
    }
    if (!PQconsumeInput(pg->connection)) {
        return fail(pg, ERROR_LOST, error);
    }
    if (!pg->sent) {
        return 1;
    }
    int rc = pg->unflushed ? flush(pg, error) : 0;
    return rc < 0 ? rc : take_answer(pg, error);
}

int pg_send(struct pg *pg, const char *statement, int count, const char *const *parameters,
            struct error *error)
{
    PQclear(pg->answer);
    pg->answer = NULL;
    if (!PQsendQueryParams(pg->connection, statement, count, NULL, parameters, NULL, NULL, 0)) {
        return fail(pg, ERROR_LOST, error);
    }
    pg->sent = true;
    return flush(pg, error);
}

const char *pg_text(const struct pg *pg, int column)
{
    return pg->answer != NULL && PQntuples(pg->answer) > 0 ? PQgetvalue(pg->answer, 0, column)
                                                           : NULL;
}

int pg_socket(const struct pg *pg, short *events)
{
    if (pg->connecting) {
        *events = pg->wants == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    } else {
        *events = (short)(POLLIN | (pg->unflushed ? POLLOUT : 0));
    }
    return PQsocket(pg->connection);
}
