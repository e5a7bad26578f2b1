/* The families of commands: one a file, one a line here, in the order of help; those of a group
 * (`help_groups` of help.c) stand together. */
#ifndef TAILOR_COMMANDS_FAMILIES_H
#define TAILOR_COMMANDS_FAMILIES_H

#include "commands/command.h"

#define COMMAND_FAMILIES(FAMILY)                                                         \
    FAMILY(data)      /* load */                                                         \
    FAMILY(attribute) /* load items, load users */                                       \
    FAMILY(mapping)   /* preview, mapping, mapping save */                               \
    FAMILY(append)    /* append follow */                                                \
    FAMILY(catalogue) /* datasets */                                                     \
    FAMILY(download)                                                                     \
    FAMILY(import)    /* import */                                                       \
    FAMILY(export)    /* export events interactions items users vectors user */          \
    FAMILY(trec)      /* export run, export qrels */                                     \
    FAMILY(report)                                                                       \
    FAMILY(event)     /* events */                                                       \
    FAMILY(reject)    /* rejects */                                                      \
    FAMILY(audit)     /* audit */                                                        \
    FAMILY(sql)       /* select tables describe */                                       \
    FAMILY(feature)   /* feature define, feature drop, features */                       \
    FAMILY(weight)                                                                       \
    FAMILY(shape)     /* decay filter between kcore sessions ... */                      \
    FAMILY(bots)      /* bots drop, bots show */                                         \
    FAMILY(recipe)    /* recipe undo */                                                  \
    FAMILY(split)     /* split */                                                        \
    FAMILY(train)     /* train */                                                        \
    FAMILY(resume)    /* resume */                                                       \
    FAMILY(tune)      /* tune trials */                                                  \
    FAMILY(update)    /* update */                                                       \
    FAMILY(model)     /* models use */                                                   \
    FAMILY(compare)   /* compare */                                                      \
    FAMILY(fairness)  /* fairness */                                                     \
    FAMILY(backtest)  /* backtest */                                                     \
    FAMILY(user)      /* user */                                                         \
    FAMILY(recommend) /* recommend similar find */                                       \
    FAMILY(map)       /* similar users, map items, map users */                          \
    FAMILY(why)                                                                          \
    FAMILY(whynot)                                                                       \
    FAMILY(who)                                                                          \
    FAMILY(whatif)                                                                       \
    FAMILY(diff)                                                                         \
    FAMILY(bisect)                                                                       \
    FAMILY(rewind)                                                                       \
    FAMILY(generate)  /* generate */                                                     \
    FAMILY(simulate)  /* simulate */                                                     \
    FAMILY(space)     /* status rename drop save verify */                               \
    FAMILY(session)   /* help set source watch history last output ui quit */

#define DECLARE(name) extern const struct command_family name##_commands;
COMMAND_FAMILIES(DECLARE)
#undef DECLARE

#endif
