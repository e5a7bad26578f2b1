#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum status error_set(struct error *err, enum status code, const char *format, ...)
{
    if (!err)
        return code;
    /* The arguments may point into err itself, so the new message is made aside. */
    char message[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memset(err, 0, sizeof *err);
    err->code = code;
    memcpy(err->message, message, sizeof message);
    return code;
}

void error_hint(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
}

void error_source(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(err->source, sizeof err->source, format, args);
    va_end(args);
}

void error_span(struct error *err, size_t offset, size_t length)
{
    if (!err)
        return;
    err->offset = offset;
    err->length = length;
}

enum status error_nomem(struct error *err, size_t bytes, const char *what)
{
    char size[32];
    text_bytes(size, sizeof size, (double)bytes);
    return error_set(err, ST_NOMEM, "not enough memory: %s needs %s", what, size);
}

enum status error_errno(struct error *err, const char *doing, const char *path)
{
    int saved = errno;
    enum status code = saved == ENOENT ? ST_NOT_FOUND : ST_IO;
    error_set(err, code, "cannot %s %s: %s", doing, path, strerror(saved));
    if (saved == ENOSPC || saved == EDQUOT || saved == EFBIG)
        error_hint(err, "make room and try again; what was there before is unharmed");
    return code;
}

const char *status_name(enum status code)
{
    static const char *const names[] = {
        [ST_OK] = "ok",
        [ST_NOMEM] = "memory",
        [ST_IO] = "io",
        [ST_FORMAT] = "format",
        [ST_USAGE] = "usage",
        [ST_NOT_FOUND] = "not-found",
        [ST_AMBIGUOUS] = "ambiguous",
        [ST_CANCELLED] = "cancelled",
        [ST_CORRUPT] = "corrupt",
        [ST_BUSY] = "busy",
        [ST_UNSUPPORTED] = "unsupported",
        [ST_STATE] = "state",
        [ST_INTERNAL] = "internal",
    };
    return (size_t)code < sizeof names / sizeof *names && names[code] ? names[code] : "unknown";
}
