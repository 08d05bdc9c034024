// Package disk keeps events on this machine, over crashes and power cuts.
//
// Each log has a directory of its own in that of the store:
//
//	lock                   held by the process that has the store open
//	log.NAME/              NAME as in the log's name, with %XX where it must be
//	    state              epoch, salt of checksums, what was lost; replaced as a whole
//	    mark               the high-water mark, and what limits have removed
//	    cursors            journal of the places of readers
//	    roster             the names of these; replaced as a whole
//	    00000000000000000001.seg, …   records, in files named by the first of them
//
// Who gets hold of a directory or file that others can write, that belongs to
// somebody else, or that is a link, is told PERMISSION_DENIED, and nothing is
// changed.
//
// # Writing
//
// Appended records wait in a batch, and get their numbers there. A goroutine
// that starts when there is work and ends when there is none writes a batch
// with one system call and forces it to the medium with another; what comes
// meanwhile is the next batch. So one publisher has the medium's own pace, and
// many share it. The file grows ahead in zeros, in steps of up to 256 KiB,
// while batches are small: forcing out a file whose length stays is a quarter to a third
// cheaper on ext4. (Space that is only reserved, as fallocate does, saves
// nothing there when the length changes, and little when it does not.)
//
// Before anybody is told that a batch is kept, the mark is written. It needs
// to survive only the end of the process then, and comes to the medium within
// a second.
//
// # Failure
//
// STORAGE_FULL is said at once, and nothing of what was refused is left. The
// next record is tried again, so a log recovers with the disk.
//
// After any other error in writing or synchronizing nobody can say what is on
// the medium, and to synchronize again would only seem to help: kernels
// forget what they could not write. So the batch fails with
// STORAGE_UNAVAILABLE, executed "maybe", and what waits behind it with "no".
// The segment is added to no more. The next one begins with the number of the
// first record that failed, which nobody has been told, and from then on
// whatever the old one holds from that number on does not count.
//
// # Opening
//
// All segments are read, several at a time, and each record is checked.
// Behind damage the search goes on with the next record; what is missing
// between two of them is a Loss, noted in the state file. What follows the
// last record without ever having been acknowledged is cut off. If the mark
// tells of records that are not there, they are a Loss too, numbers go on
// behind the mark, and there is a new epoch, as there is when the mark or the
// state file is damaged. A number is so never used again within an epoch.
//
// Of the places of readers a damaged one is that of the time before. One of
// which nothing is left is known by the roster, and is empty.
//
// A state, mark, cursors or roster file that the medium cannot read at all is
// another matter: it may be able to later, so the log is not opened.
//
// A program that was killed has lost nothing. After a power cut, what has
// been acknowledged is there if the drive keeps what it was told to; the mark
// may lag by a second, cursors by 100 ms, and records that a limit or Discard
// has removed in the last second may be there again.
//
// # Memory and space
//
// In memory are 32 bytes for every 16 KiB of records, what waits to be
// written, and for Limits.Dedupe about 70 bytes for each ID.
//
// Limits and Discard remove records at once for readers. Their space is free
// when all of a segment is removed, so a log takes up to a segment more than
// its limit, which is an eighth of it or 1 MiB. Segments whose IDs have to be
// known over a restart stay for that time, while the log is within its limit.
// The medium's space comes first: when it is full they go.
//
// Not found is what was changed by somebody who knows the format: checksums
// protect from disks, not from the user's other programs.
package disk
