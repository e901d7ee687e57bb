-- Failed logins
-- Who could not sign in, and from where: of audit logs, PostgreSQL's errors and MySQL's general log.
SELECT
    coalesce(cluster, instance) AS database_server,
    kind,
    "user",
    coalesce(client_ip, client_host) AS client,
    count(*) AS attempts,
    max(event_time) AS latest,
    max_by(message, event_time) AS last_message
FROM rds
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND (
        operation = 'FAILED_CONNECT'
        OR (operation = 'CONNECT' AND return_code <> 0)
        OR sql_state_code IN ('28000', '28P01')
        OR message LIKE '%authentication failed%'
        OR message LIKE '%Access denied for user%'
    )
GROUP BY coalesce(cluster, instance), kind, "user", coalesce(client_ip, client_host)
ORDER BY attempts DESC
LIMIT 50
