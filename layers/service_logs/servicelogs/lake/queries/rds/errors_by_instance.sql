-- Errors by instance
-- What each server logged as an error or worse, by its code or words.
SELECT
    coalesce(cluster, instance) AS database_server,
    engine,
    level,
    coalesce(sql_state_code, error_code, message) AS error,
    count(*) AS records,
    max(event_time) AS latest,
    max_by(message, event_time) AS last_message
FROM rds
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND level IN ('ERROR', 'FATAL', 'PANIC')
GROUP BY
    coalesce(cluster, instance),
    engine,
    level,
    coalesce(sql_state_code, error_code, message)
ORDER BY records DESC
LIMIT 50
