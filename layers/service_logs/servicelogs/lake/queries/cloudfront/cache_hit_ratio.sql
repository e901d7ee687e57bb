-- Cache hit ratio
-- What part of each host's requests CloudFront answered from its caches; read from the summary.
SELECT
    cs_host,
    sum(records) AS requests,
    sum(IF(x_edge_result_type IN ('Hit', 'RefreshHit'), records, 0)) AS hits,
    cast(sum(IF(x_edge_result_type IN ('Hit', 'RefreshHit'), records, 0)) AS double)
    / sum(records) AS ratio,
    sum(sc_bytes_sum) AS bytes
FROM cloudfront_summary
WHERE event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
GROUP BY cs_host
ORDER BY requests DESC
LIMIT 100
