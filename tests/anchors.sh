#!/bin/sh
# Figures that others have published for models without chance, to all the digits they print: what goes wrong here is a metric or a
# protocol, not a model. Those of Gowalla are in tests/unit/eval_gowalla.
tailor=${TAILOR:-./tailor}
data=${TAILOR_DATA:-$(dirname "$0")/../../shared/data}
if [ ! -d "$data" ]; then
  echo "1..0 # SKIP no real data (TAILOR_DATA)"
  exit 0
fi
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$data" || exit 99
echo 1..5
i=0
failed=0

# judge OPTION...: the last leaderboard as a line of JSON, added to $work/lines
judge() {
  "$tailor" --no-init --output jsonl "$@" </dev/null 2>"$work/err" | grep '"model":' | grep '"users":' | tail -n 1 >>"$work/lines"
}

# says WHAT METRIC=VALUE...: the mean over all lines, rounded to as many digits as VALUE has
says() {
  what=$1 wrong=
  shift
  i=$((i + 1))
  for pair; do
    value=${pair#*=}
    digits=${value#*.}
    got=$(sed -n 's/.*"'"${pair%%=*}"'":\([0-9.e-]*\).*/\1/p' "$work/lines" |
      awk -v digits=${#digits} '{ sum += $1 } END { if (NR) { printf "%.*f", digits, sum / NR } else print "nothing" }' | sed 's/^0\././')
    [ "$got" = "$value" ] || wrong="$wrong $pair, measured $got"
  done
  if [ -z "$wrong" ]; then
    echo "ok $i - $what"
  else
    failed=1
    echo "not ok $i - $what:$wrong"
    sed 's/^/# /' "$work/err" | tail -n 5
  fi
  : >"$work/lines"
}

: >"$work/lines"
judge -c 'load ml-100k' -c "split given ml-100k/u1.test" -c 'train bias terms=user lambda_user=0' -c 'compare rmse mae'
says 'the average of each user, MovieLens 100K, u1: RMSE 1.0630, MAE .85019' rmse=1.0630 mae=.85019
for n in 1 2 3 4 5; do
  judge -c 'load ml-100k' -c "split given ml-100k/u$n.test" -c 'train bias' -c 'compare rmse mae'
done
says 'biases of users and items, MovieLens 100K, u1 to u5: RMSE .9457, MAE .7499' rmse=.9457 mae=.7499
judge -c 'load ml-1m/ncf' -c 'split given' -c 'import ml-1m/ncf/ml-1m.test.negative as listed' -c 'train pop' \
  -c 'compare hit@10 ndcg@10 with pop among=listed'
says 'most popular among 99 listed items, MovieLens 1M: hit@10 .4538, ndcg@10 .2545' hit@10=.4538 ndcg@10=.2545
judge -c 'load s3rec/Beauty' -c 'split last 1' -c 'train pop' -c 'compare hit@5 hit@10 hit@20'
says 'most popular, Beauty: hit@5 .0077, hit@10 .0135, hit@20 .0217' hit@5=.0077 hit@10=.0135 hit@20=.0217
judge -c 'load s3rec/LastFM' -c 'split last 1' -c 'train pop' -c 'compare hit@5 hit@10 hit@20'
says 'most popular, LastFM: hit@5 .0248, hit@10 .0440, hit@20 .0606' hit@5=.0248 hit@10=.0440 hit@20=.0606
exit $failed
