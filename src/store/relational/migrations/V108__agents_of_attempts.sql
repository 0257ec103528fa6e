-- The agent for whom a call is: who took the preview, or who is named by the order. NULL: none, or an older attempt.
ALTER TABLE attempts ADD COLUMN agent TEXT;
