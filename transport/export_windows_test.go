package transport

// SDDLForTest is what the pipes of a user are made with, and their locks.
const (
	SDDLForTest     = pipeSDDL
	LockSDDLForTest = lockSDDL
)
