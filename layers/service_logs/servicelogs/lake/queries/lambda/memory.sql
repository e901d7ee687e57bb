-- Memory
-- How much of its memory each function has used at most, in MB.
SELECT
    "function",
    max(memory_size_mb) AS memory_size_mb,
    max(max_memory_used_mb) AS most_used_mb,
    count(*) AS invocations
FROM lambda
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND max_memory_used_mb IS NOT NULL
GROUP BY "function"
ORDER BY cast(max(max_memory_used_mb) AS double) / max(memory_size_mb) DESC
LIMIT 50
