#include "client/check/pg.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct pg {
    PGconn *connection;
};

struct pg_row {
    const PGresult *result;
    int number;
};

/* libpq's messages end with a line break. */
static int fail(struct pg *pg, const char *what, struct error *error)
{
    const char *message = PQerrorMessage(pg->connection);
    return error_set(error, ERROR_IO, "%s: %.*s", what, (int)strcspn(message, "\n"), message);
}

int pg_open(struct pg **out, const char *url, struct error *error)
{
    struct pg *pg = calloc(1, sizeof *pg);
    CHECK(pg != NULL);
    pg->connection = PQconnectdb(url);
    if (PQstatus(pg->connection) != CONNECTION_OK) {
        int rc = fail(pg, "database", error);
        pg_close(pg);
        return rc;
    }
    *out = pg;
    return 0;
}

void pg_close(struct pg *pg)
{
    if (pg != NULL) {
        PQfinish(pg->connection);
        free(pg);
    }
}

const char *pg_text(const struct pg_row *row, int column)
{
    return PQgetvalue(row->result, row->number, column);
}

int64_t pg_int(const struct pg_row *row, int column)
{
    if (PQgetisnull(row->result, row->number, column) != 0) {
        return 0;
    }
    char *end;
    errno = 0;
    long long number = strtoll(pg_text(row, column), &end, 10);
    CHECK(errno == 0 && end != pg_text(row, column) && *end == '\0');
    return number;
}

int pg_columns(const struct pg_row *row)
{
    return PQnfields(row->result);
}

int pg_read(struct pg *pg, const char *query, pg_take *take, void *context, struct error *error)
{
    if (PQsendQuery(pg->connection, query) == 0 || PQsetSingleRowMode(pg->connection) == 0) {
        return fail(pg, "query", error);
    }
    int rc = 0;
    PGresult *result;
    /* Every result is fetched, after an error too: else the connection is of no more use. */
    while ((result = PQgetResult(pg->connection)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK &&
            status != PGRES_COMMAND_OK) {
            rc = rc != 0 ? rc : fail(pg, "query", error);
        }
        struct pg_row row = {.result = result};
        for (; rc == 0 && row.number < PQntuples(result); row.number++) {
            rc = take(context, &row, error);
        }
        PQclear(result);
    }
    return rc;
}
