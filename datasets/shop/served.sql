# served.csv: each user's last list of the home page before the last visit in which they did anything.
load shop
with acted as (select user, max(time) as last from events where type <> 'impression' group by user),
  visit as (select a.user, min(e.time) as began from acted a join events e on e.user = a.user
    where e.session = (select session from events x where x.user = a.user and x.time = a.last limit 1) group by a.user),
  list as (select v.user, max(e.time) as served from visit v join events e on e.user = v.user
    where e.type = 'impression' and e.page = 'home' and e.position = 1 and e.time < v.began group by v.user)
select e.user, e.item, e.position as rank, e.time as timestamp from list l join events e on e.user = l.user and e.time = l.served
  where e.type = 'impression' and e.page = 'home' order by e.user, e.position; > served.csv
