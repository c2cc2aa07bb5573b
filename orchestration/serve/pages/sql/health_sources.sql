-- What each source brought in the run of this build: received is loaded, put aside and seen before.
select source, sum(rows_received)::bigint as received, sum(rows_loaded)::bigint as loaded,
    sum(rows_quarantined)::bigint as put_aside, sum(rows_duplicate)::bigint as seen_before
from ops.run_sources
where run_id = (select run_id from ops.build)
group by source
order by source
