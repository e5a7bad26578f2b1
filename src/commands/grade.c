#include "commands/grade.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"

static const char kind[] = "audit", name[] = "current";

enum status grade_keep(struct workbench *wb, const struct audit *a, struct error *err)
{
    char text[96];
    if (wb->readonly)
        return ST_OK;
    int n = snprintf(text, sizeof text, "%" PRIu64 " %c %zu %zu", a->data->fingerprint, a->grade,
                     a->worst[SEVERITY_SERIOUS], a->worst[SEVERITY_WARNING]);
    enum status st = workspace_put_note(wb->space, a->data->name, kind, name, text, (size_t)n, err);
    if (st)
        return st;
    pthread_mutex_lock(&wb->lock);
    wb->generation++;
    pthread_mutex_unlock(&wb->lock);
    return ST_OK;
}

enum status grade_find(struct workbench *wb, const struct dataset *d, struct grade *out, struct error *err)
{
    void *bytes = NULL;
    size_t n;
    uint64_t fingerprint;
    struct grade g = {0};
    *out = g;
    enum status st = workspace_get_note(wb->space, d->name, kind, name, &bytes, &n, err);
    if (st)
        return st == ST_NOT_FOUND ? ST_OK : st;
    char *text = mem_strndup(bytes, n, err);
    mem_free(bytes);
    if (!text)
        return ST_NOMEM;
    if (sscanf(text, "%" SCNu64 " %c %zu %zu", &fingerprint, &g.letter, &g.serious, &g.warnings) == 4 &&
        fingerprint == d->fingerprint && g.letter >= 'A' && g.letter <= 'F')
        *out = g;
    mem_free(text);
    return ST_OK;
}
