-- Rows that are there twice
-- Must be empty: each record is one row. A log event of MySQL or MariaDB may hold several records, with one number; these count as copies only where they say the same.
SELECT log_source, log_record, event_time, message, statement, count(*) AS copies
FROM rds
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY
    log_source,
    log_record,
    event_time,
    message,
    statement,
    kind,
    level,
    "user",
    operation,
    command,
    object,
    connection_id,
    thread_id,
    query_id,
    query_time,
    lock_time,
    rows_examined,
    bytes_sent
HAVING count(*) > 1
ORDER BY copies DESC
LIMIT 1000
