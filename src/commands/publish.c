#include "commands/publish.h"

static const double keep_bytes = 256e6; /* larger models go to the workspace on `save` only */

static bool too_large(const struct model *m)
{
    return (double)model_bytes(m) > keep_bytes; /* an ensemble is of no use without its models */
}

/* An older one of this name must not come back in the stead of one that is not kept yet. */
static enum status keep(struct workbench *wb, const struct dataset *d, const struct model *m, struct error *err)
{
    char stored[STORED_NAME_MAX];
    if (!too_large(m))
        return workbench_keep_model(wb, m, err);
    workbench_stored_name(wb, m->name, stored);
    enum status st = workspace_drop_model(wb->space, d->name, stored, err);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static enum status keep_all(struct workbench *wb, const struct dataset *d, struct model *const *models, size_t n,
                            struct error *err)
{
    enum status st = n > 1 ? workspace_begin(wb->space, err) : ST_OK;
    if (st)
        return st;
    for (size_t i = 0; i < n && !st; i++)
        st = keep(wb, d, models[i], err);
    return n > 1 ? workspace_end(wb->space, st, err) : st;
}

enum status publish_models(struct workbench *wb, const struct dataset *d, struct model *const *models, size_t n,
                           struct result *out, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        char size[32];
        text_bytes(size, sizeof size, (double)model_bytes(models[i]));
        if (too_large(models[i]))
            result_message(out, MESSAGE_INFO, "%s takes %s: it stays in memory, `save` writes it", models[i]->name,
                           size);
    }
    enum status st = result_status(out, err);
    if (!st)
        st = workbench_room_for_model(wb, err);
    if (!st)
        st = keep_all(wb, d, models, n, err);
    for (size_t i = 0; i < n && !st; i++)
        st = workbench_add_model(wb, model_hold(models[i]), err);
    return st;
}

enum status publish_model(struct workbench *wb, const struct dataset *d, struct model *m, struct result *out,
                          struct error *err)
{
    return publish_models(wb, d, &m, 1, out, err);
}
