-- A partition is 65,536 callbacks in a row. The code calls it so, and so does the column now.
ALTER TABLE callbacks RENAME COLUMN shelf TO partition_no;
