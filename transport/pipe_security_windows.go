package transport

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ownSID is the user of this process, in the form S-1-5-21-....
var ownSID = sync.OnceValues(func() (string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", fmt.Errorf("transport: asking for the user of this process: %w", err)
	}
	return user.User.Sid.String(), nil
})

// Who may open a pipe. Whoever comes from another machine is refused before
// this is looked at. To deny access to the group NETWORK would do no more, and
// would shut out the user's own processes where he has come in by SSH.
const (
	pipeSDDL = "O:%[1]sD:P(A;;FA;;;%[1]s)(A;;FA;;;SY)" // the user and the system
	lockSDDL = "O:%[1]sD:P"                            // nobody
)

// security returns what a pipe of ours is made with. It must be said: what
// the system takes otherwise lets everybody read.
func security(sddl string) (*windows.SecurityAttributes, error) {
	sid, err := ownSID()
	if err != nil {
		return nil, err
	}
	d, err := windows.SecurityDescriptorFromString(fmt.Sprintf(sddl, sid))
	if err != nil {
		return nil, fmt.Errorf("transport: the security descriptor of a pipe: %w", err)
	}
	a := &windows.SecurityAttributes{SecurityDescriptor: d}
	a.Length = uint32(unsafe.Sizeof(*a))
	return a, nil
}

const ownerAndAccess = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION

// checkOurs returns an error if a pipe is not this user's, or lets in others
// than ours do. A pipe has the owner and the access of its first instance,
// which may be somebody else's.
func checkOurs(pipe windows.Handle) error {
	d, err := windows.GetSecurityInfo(pipe, windows.SE_KERNEL_OBJECT, ownerAndAccess)
	if err != nil {
		return err
	}
	own, err := ownSID()
	if err != nil {
		return err
	}
	owner, _, err := d.Owner()
	if err != nil {
		return err
	}
	if owner.String() != own {
		return fmt.Errorf("it belongs to %s", owner)
	}
	access, _, err := d.DACL()
	if err != nil || access == nil { // none is for everybody
		return fmt.Errorf("it is open to all (%v)", err)
	}
	for n := range access.AceCount {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(access, uint32(n), &entry); err != nil {
			return err
		}
		sid := (*windows.SID)(unsafe.Pointer(&entry.SidStart))
		switch entry.Header.AceType {
		case windows.ACCESS_DENIED_ACE_TYPE:
			continue
		case windows.ACCESS_ALLOWED_ACE_TYPE:
			if sid.IsWellKnown(windows.WinLocalSystemSid) || sid.String() == own {
				continue
			}
		}
		return fmt.Errorf("it is open to others (%s)", d)
	}
	return nil
}

// ownerOf returns the SID of whoever made the pipe that a client's handle
// leads to.
func ownerOf(pipe windows.Handle) (*windows.SID, error) {
	d, err := windows.GetSecurityInfo(pipe, windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return nil, err
	}
	sid, _, err := d.Owner()
	if err == nil && sid == nil {
		err = windows.ERROR_INVALID_OWNER
	}
	return sid, err
}

// trustsOwner: the system and the administrators may do as they like anyway.
func trustsOwner(sid *windows.SID) bool {
	own, err := ownSID()
	return err == nil && sid.String() == own ||
		sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid)
}

var impersonateClient = windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient")

// clientOf returns the SID of whoever opened the other end of a pipe of ours.
//
// The kernel tells by letting a thread be the client for a moment, as far as
// the client lets itself be known. One that does not, or of which the kernel
// knows only when it has said something, is taken for this process's user:
// nobody can have opened the pipe who may do less.
func clientOf(pipe windows.Handle) (string, error) {
	told := make(chan *windows.SID)
	go func() {
		// A thread that cannot be got back ends with this goroutine.
		runtime.LockOSThread()
		var sid *windows.SID
		if r, _, _ := impersonateClient.Call(uintptr(pipe)); r != 0 {
			sid = threadUser()
			if windows.RevertToSelf() == nil {
				runtime.UnlockOSThread()
			}
		} else {
			runtime.UnlockOSThread()
		}
		told <- sid
	}()
	if sid := <-told; sid != nil && !sid.IsWellKnown(windows.WinAnonymousSid) {
		return sid.String(), nil
	}
	return ownSID()
}

// threadUser returns as whom this thread runs, nil if that is not to be known.
func threadUser() *windows.SID {
	var token windows.Token
	if windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &token) != nil {
		return nil
	}
	defer token.Close()
	user, err := token.GetTokenUser()
	if err != nil {
		return nil
	}
	return user.User.Sid
}
