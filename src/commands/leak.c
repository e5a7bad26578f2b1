#include "commands/leak.h"

enum status leak_check_model(const struct dataset *d, const struct split *s, const struct model_class *class,
                             const struct param_value *values, struct error *err)
{
    int64_t oldest, newest;
    if (!s || split_in_order(s) || !dataset_time_range(d, &oldest, &newest))
        return ST_OK;
    for (size_t i = 0; i < class->nparams; i++) {
        enum param_type type = class->params[i].type;
        if (!values[i].present || (type != PARAM_DURATION && type != PARAM_TIME))
            continue;
        error_set(err, ST_STATE,
                  "%s with %s=%s looks at the time, and this split (%s) trains on events after those it tests",
                  class->name, class->params[i].name, values[i].text, s->description);
        error_hint(err, "split by time, rolling or last; leak=allow trains it all the same");
        return ST_STATE;
    }
    return ST_OK;
}
