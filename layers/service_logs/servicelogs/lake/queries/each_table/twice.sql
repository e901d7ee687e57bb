-- Rows that are there twice
-- Must be empty: each record of a source is one row. An object that was delivered anew is another source of the same name.
SELECT log_source, log_record, count(*) AS copies
FROM {table}
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY log_source, log_record
HAVING count(*) > 1
ORDER BY copies DESC
LIMIT 1000
