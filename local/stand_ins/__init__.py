"""What AWS does and the emulator leaves out, inside the emulator, for what is really deployed.

Each module stands for one thing and says where AWS documents it: `roles` (what a service may do by
a role), `log_subscriptions` (CloudWatch Logs to Kinesis and Firehose), `log_destinations` (the same
from other accounts), `firehose` (buffering, decompression, compression), `stream_mappings` (Lambda
reading a Kinesis stream), `realtime_logs` (CloudFront's configurations), `state_machines` (the role
of a machine, a map's children). Between two accounts: `identities` (whom a policy sees), `buckets`
(whose a bucket is), `event_buses`, `keys`. They read the emulator's own records of filters,
streams, mappings and roles, so that only what CloudFormation made has an effect.
`function_errors` keeps the process of a function that raised, `function_logs` its last lines.

Beside them `asked_rights` writes down which right each role is asked for.

What still is not as in AWS between accounts: a policy that names a role goes on when that role was
made anew (AWS keeps the old one's id, and refuses the new one); an account's root is asked for none
of its own policies, nor for a key's; PutEvents by hand finds no bus of another account; a rule has
no dead-letter queue.
"""
