-- Root and console
-- What the root user did, and who signed in to the console, with MFA or without.
SELECT
    event_time,
    account_id,
    eventname,
    useridentity.type AS identity_type,
    useridentity.arn AS principal,
    sourceipaddress,
    json_extract_scalar(additionaleventdata, '$.MFAUsed') AS mfa_used,
    json_extract_scalar(responseelements, '$.ConsoleLogin') AS console_login
FROM cloudtrail
WHERE
    event_day >= cast(current_date - INTERVAL '1' DAY AS varchar)
    AND (useridentity.type = 'Root' OR eventname = 'ConsoleLogin')
ORDER BY event_time DESC
LIMIT 100
