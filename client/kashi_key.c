#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/config.h"
#include "client/kashi.h"

int kashi_key_generate(struct kashi_key *key, struct error *error)
{
    if (zmq_curve_keypair(key->public_text, key->secret_text) != 0) {
        return error_set(error, ERROR_IO, "this ZeroMQ was built without CURVE: %s",
                         zmq_strerror(zmq_errno()));
    }
    return 0;
}

static int key_read(const struct config *config, const char *path, const char *name,
                    char text[CODEC_PUBLIC_KEY_TEXT + 1], struct error *error)
{
    const char *value = config_text(config, "", name, NULL);
    uint8_t bytes[PUBLIC_KEY_SIZE];
    if (value == NULL) {
        return error_set(error, ERROR_INVALID,
                         "%s: no line '%s = …'; make a key file with: kashi keygen NAME", path,
                         name);
    }
    if (!codec_key_parse(value, strlen(value), bytes)) {
        return error_set(error, ERROR_INVALID, "%s: '%s' is not a key of 40 characters of Z85",
                         path, name);
    }
    memcpy(text, value, CODEC_PUBLIC_KEY_TEXT + 1);
    return 0;
}

static int key_open(struct config *config, const char *path, struct error *error)
{
    if (access(path, R_OK) != 0) {
        return error_system(error, errno, "key file %s", path);
    }
    return config_load(config, path, error);
}

int kashi_key_load_public(char text[CODEC_PUBLIC_KEY_TEXT + 1], const char *path,
                          struct error *error)
{
    struct config config;
    int rc = key_open(&config, path, error);
    if (rc < 0) {
        return rc;
    }
    rc = key_read(&config, path, "public", text, error);
    config_free(&config);
    return rc;
}

/* Whoever can read a secret key can trade with it. */
static int key_check_private(const char *path, struct error *error)
{
    struct stat found;
    if (stat(path, &found) != 0) {
        return error_system(error, errno, "key file %s", path);
    }
    if (S_ISREG(found.st_mode) && (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return error_set(
            error, ERROR_INVALID,
            "%s: others may use this secret key (mode %03o); take it back with: chmod 600 %s", path,
            (unsigned)found.st_mode & 0777U, path);
    }
    return 0;
}

int kashi_key_load(struct kashi_key *key, const char *path, struct error *error)
{
    struct config config;
    int rc = key_check_private(path, error);
    if (rc == 0) {
        rc = key_open(&config, path, error);
    }
    if (rc < 0) {
        return rc;
    }
    rc = key_read(&config, path, "public", key->public_text, error);
    if (rc == 0) {
        rc = key_read(&config, path, "secret", key->secret_text, error);
    }
    config_free(&config);
    return rc;
}

static int key_write(const char *path, mode_t mode, const char *text, struct error *error)
{
    /* O_EXCL: a key that is overwritten is an account that nobody can open any more. */
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0 && errno == EEXIST) {
        return error_set(error, ERROR_INVALID,
                         "%s: a file of this name is there already; choose another name", path);
    }
    if (file < 0) {
        return error_system(error, errno, "%s", path);
    }
    int rc = 0;
    if (dprintf(file, "%s", text) < 0 || fsync(file) != 0) {
        rc = error_system(error, errno, "%s", path);
    }
    if (close(file) != 0 && rc == 0) {
        rc = error_system(error, errno, "%s", path);
    }
    if (rc < 0) {
        unlink(path);
    }
    return rc;
}

#define KEY_TEXT_SIZE 128

int kashi_key_save(const struct kashi_key *key, const char *path, struct error *error)
{
    char text[KEY_TEXT_SIZE];
    (void)snprintf(text, sizeof(text), "public = %s\nsecret = %s\n", key->public_text,
                   key->secret_text);
    return key_write(path, 0600, text, error);
}

int kashi_key_save_public(const struct kashi_key *key, const char *path, struct error *error)
{
    char text[KEY_TEXT_SIZE];
    (void)snprintf(text, sizeof(text), "public = %s\n", key->public_text);
    return key_write(path, 0644, text, error);
}
