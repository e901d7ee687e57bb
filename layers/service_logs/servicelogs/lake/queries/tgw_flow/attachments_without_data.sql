-- Attachments without data
-- Attachments with no traffic (NODATA), or of which flows were left out for want of capacity (SKIPDATA).
SELECT tgw_id, tgw_attachment_id, log_status, count(*) AS records, max(event_time) AS latest
FROM tgw_flow
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND log_status <> 'OK'
GROUP BY tgw_id, tgw_attachment_id, log_status
ORDER BY records DESC
LIMIT 100
