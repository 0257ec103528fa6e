-- The pool of which the call needs a seat; NULL: that of the sender, if it has one.
ALTER TABLE callbacks ADD COLUMN pool TEXT;
