-- Slow statements
-- The statements that took most time in all, in milliseconds; of MySQL and MariaDB from the slow query log.
SELECT
    coalesce(cluster, instance) AS database_server,
    engine,
    statement,
    count(*) AS runs,
    sum(coalesce(duration_ms, query_time * 1000)) AS total_ms,
    max(coalesce(duration_ms, query_time * 1000)) AS longest_ms,
    sum(rows_examined) AS rows_examined
FROM rds
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND statement IS NOT NULL
    AND (duration_ms IS NOT NULL OR query_time IS NOT NULL)
GROUP BY coalesce(cluster, instance), engine, statement
ORDER BY total_ms DESC
LIMIT 50
