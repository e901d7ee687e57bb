-- Errors by URI
-- Paths that were answered with a 4xx or 5xx, or not at all (0: the viewer went away), and why.
SELECT
    cs_host,
    cs_uri_stem,
    sc_status,
    x_edge_detailed_result_type,
    count(*) AS requests,
    max(event_time) AS latest
FROM cloudfront
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND (sc_status >= 400 OR sc_status = 0)
GROUP BY cs_host, cs_uri_stem, sc_status, x_edge_detailed_result_type
ORDER BY requests DESC
LIMIT 50
