-- Errors by function
-- What invocations failed with, and the last message of it.
SELECT
    "function",
    coalesce(error_type, status, level) AS error,
    count(*) AS records,
    max(event_time) AS latest,
    max_by(coalesce(error_message, message), event_time) AS last_message
FROM lambda
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND (
        error_type IS NOT NULL
        OR status IN ('error', 'failure', 'timeout')
        OR level IN ('ERROR', 'FATAL', 'CRITICAL')
    )
GROUP BY "function", coalesce(error_type, status, level)
ORDER BY records DESC
LIMIT 50
