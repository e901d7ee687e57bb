-- Failed client certificates
-- Connections whose client's certificate was refused, by reason and client.
SELECT
    elb,
    tls_verify_status,
    client_ip,
    leaf_client_cert_subject,
    count(*) AS connections,
    max(event_time) AS latest
FROM alb_connection
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND tls_verify_status LIKE 'Failed%'
GROUP BY elb, tls_verify_status, client_ip, leaf_client_cert_subject
ORDER BY connections DESC
LIMIT 50
