/* Searches for good parameters: from what was tried to what to try next.
 *
 *   random   every axis uniformly (Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 2012)
 *   grid     all combinations of a few evenly spaced values an axis
 *   tpe      tree-structured Parzen estimator (Bergstra, Bardenet, Bengio, Kegl, Algorithms for Hyper-Parameter
 * Optimization, NIPS 2011), multivariate as in Falkner, Klein, Hutter (BOHB, ICML 2018): the tried points are cut into
 * the better few and the others; each side is a mixture of one product of kernels a point; of points drawn from the
 * better side that one is next where the ratio of the densities is largest. An axis that sleeps at a tried point says
 * nothing there: its kernel is the uniform density; one that sleeps at the point in question does not count. So
 * parameters that depend on another are drawn after it, and learnt from the trials in which they mattered.
 *
 * A step depends on the seed, its number and what was tried before, on nothing else. */
#ifndef TAILOR_EVAL_TUNE_SEARCH_H
#define TAILOR_EVAL_TUNE_SEARCH_H

#include "eval/tune_space.h"

enum tune_search { TUNE_RANDOM, TUNE_GRID, TUNE_TPE };

/* A tried point and what came of it. */
struct tune_seen {
    const double *point; /* space->n */
    double value;        /* higher is better; NaN: it failed */
    double share;        /* of its training: below 1 it was stopped, and ranks below every one that was not */
};

/* TPE draws at random until so many were tried. */
enum { TUNE_STARTUP = 8 };

/* The point of trial `number` (from 0) into point[0..space->n). seen[0..n) in the order of the trials. Grid goes
 * through a grid of at most `trials` points. *done: there is no point that was not tried. */
void tune_next(const struct tune_space *space, enum tune_search search, uint64_t seed, size_t number, size_t trials,
               const struct tune_seen *seen, size_t n, double *point, bool *done);

/* How many points that grid has, and of how many there is *room. They are more where lists and two ends a range are more
 * already: then those that are tried lie all over the grid. first: the point of the first trial, which need not be one
 * of the grid, NULL: none yet. SIZE_MAX: more than can be counted. */
size_t tune_grid(const struct tune_space *space, size_t trials, const double *first, size_t *room);

/* Are a and b the same setting? */
bool tune_same(const struct tune_space *space, const double *a, const double *b);

/* The rule that stops hopeless trials (asynchronous successive halving, stopping variant: Li, Jamieson, Rostamizadeh et
 * al., A System for Massively Parallel Hyperparameter Tuning, MLSys 2020): rungs stand at 1/9 and 1/3 of the training;
 * a trial goes on past one when it is in the best third of all that came there before it, itself included. The first
 * two always go on. Higher is better. */
bool tune_hopeless(double value, const double *before, size_t n);
enum { TUNE_RUNGS = 2 };
/* A trial of so many epochs is judged after every so many. */
size_t tune_every(size_t epochs);
/* Which rung stands at this epoch, counted from 1: 0 or 1; TUNE_RUNGS: none. */
size_t tune_rung(size_t epoch, size_t epochs);

#endif
