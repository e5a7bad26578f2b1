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

enum status publish_model(struct workbench *wb, const struct dataset *d, struct model *m, struct result *out, struct error *err)
{
    char size[32];
    text_bytes(size, sizeof size, (double)model_bytes(m));
    if (too_large(m))
        result_message(out, MESSAGE_INFO, "%s takes %s: it stays in memory, `save` writes it", m->name, size);
    enum status st = result_status(out, err);
    if (!st)
        st = workbench_room_for_model(wb, err);
    if (!st)
        st = keep(wb, d, m, err);
    return st ? st : workbench_add_model(wb, model_hold(m), err);
}
