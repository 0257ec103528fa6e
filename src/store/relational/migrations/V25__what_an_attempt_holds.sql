-- What the call holds while it lives, as a JSON array: "sender:551151991234", "account:main", "campaign:spring".
-- An attempt that is over holds nothing; without the column it holds at least its sender and its account.
ALTER TABLE attempts ADD COLUMN holds TEXT;

UPDATE attempts SET holds = (
    SELECT CASE WHEN callbacks.campaign IS NULL
        THEN json_array('sender:' || attempts.sender, 'account:' || attempts.account)
        ELSE json_array(
            'sender:' || attempts.sender, 'account:' || attempts.account, 'campaign:' || callbacks.campaign)
        END
    FROM callbacks WHERE callbacks.id = attempts.callback
) WHERE live = 1;
