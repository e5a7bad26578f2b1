#!/bin/sh
# Real files that nobody here wrote load with at most one mapping line. One line a set: what must come out, then the
# command. The counts are those that the publishers of the sets give.
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

# users items events rejected | command
cat >"$work/sets" <<'LINES'
943 1682 100000 0|load ml-100k
943 1682 80000 0|load ml-100k/u1.base
610 9742 100836 0|load ml-latest-small
58 9742 3683 0|load ml-latest-small/tags.csv
6040 3706 1000209 0|load ml-1m/pairs_original_order.tsv
6040 3416 999611 0|load ml-1m/sasrec/ml-1m.txt
6040 3416 993059 0|load ml-1m/sasrec/gsasrec_split
6040 3706 1000209 0|load ml-1m/ncf
6040 3706 604000 0|load ml-1m/ncf/ml-1m.test.negative
29858 40981 1027370 0|load gowalla
22363 12101 198502 0|load s3rec/Beauty
1090 3646 52551 0|load s3rec/LastFM
1090 3646 107910 0|load s3rec/LastFM/LastFM_sample.txt
1895 2987 72312 0|load deskdrop
230 34 10000 0|load obd/random/men
10000 34 10000 0|load obd/bts/men user=row
290 300 11600 0|load coat
23570 1 69659 0|load cdnow/CDNOW_master.txt item==cd type==purchase value=dollar_value quantity=number_of_cds
2357 1 6919 0|load cdnow/CDNOW_sample.txt user=1 item==cd time=3 value=5
2357 0 0 0|load users cdnow/cdnow_customers_summary.csv
64000 0 0 0|load users hillstrom/hillstrom.csv id=row
90189 0 0 0|load users cookie-cats/cookie_cats.csv
7043 0 0 0|load users telco-churn/Telco-Customer-Churn.csv
12393 5155 200000 0|load steam200k
1892 17632 92834 0|load lastfm2k
193 187 200 0|load ctr-samples/movielens_sample.txt item.title=title item.genres=genres
200 0 0 0|load users ctr-samples/criteo_sample.txt id=row
99 39 100 0|load ctr-samples/avazu_sample.txt user=device_ip+device_model item=C14 value=click time==2014-10-21
LINES

n=$(wc -l <"$work/sets")
echo "1..$((n + 4))"
i=0
failed=0
report() {
  i=$((i + 1))
  if [ "$1" = yes ]; then
    echo "ok $i - $2"
  else
    failed=1
    echo "not ok $i - $2"
    sed 's/^/# /' "$work/out" | head -n 8
  fi
}

while IFS='|' read -r want command; do
  timeout 120 "$tailor" --no-init --output tsv "$work/space" -c "$command as set replace=yes" -c datasets </dev/null \
    >"$work/out" 2>&1
  got=$(grep "^set	.*	true$" "$work/out" | cut -f 3,4,5,8 | tr '\t' ' ')
  if [ "$got" = "$want" ]; then report yes "$command"; else echo "wanted $want, got $got" >>"$work/out"; report no "$command"; fi
done <"$work/sets"

# What the events say, against the anchors of the sets.
answers() {
  what=$1 want=$2 load=$3 sql=$4
  "$tailor" --no-init --output csv -c "$load" -c "$sql" </dev/null >"$work/out" 2>/dev/null
  if tail -n 1 "$work/out" | grep -qx -- "$want"; then report yes "$what"; else report no "$what"; fi
}
answers 'deskdrop by type' '61086,5745,2463,1611,1407' 'load deskdrop' \
  "select sum(type = 'VIEW'), sum(type = 'LIKE'), sum(type = 'BOOKMARK'), sum(type = 'COMMENT CREATED'), sum(type = 'FOLLOW') from events"
answers 'retention of cookie cats' '0.4482,0.4423,0.1902,0.182' 'load users cookie-cats/cookie_cats.csv' \
  "select round(avg(retention_1) filter (where version = 'gate_30'), 4), round(avg(retention_1) filter (where version = 'gate_40'), 4), round(avg(retention_7) filter (where version = 'gate_30'), 4), round(avg(retention_7) filter (where version = 'gate_40'), 4) from users"
answers 'visits of hillstrom' '0.1828,0.1514,0.1062' 'load users hillstrom/hillstrom.csv id=row' \
  "select round(avg(visit) filter (where segment = 'Mens E-Mail'), 4), round(avg(visit) filter (where segment = 'Womens E-Mail'), 4), round(avg(visit) filter (where segment = 'No E-Mail'), 4) from users"
answers 'churned customers of telco' '1869' 'load users telco-churn/Telco-Customer-Churn.csv' \
  "select count(*) from users where churn = 'Yes'"
exit $failed
