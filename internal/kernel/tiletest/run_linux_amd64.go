package tiletest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// Run runs a program and does the instructions of tiles that the processor refuses in it, in all its threads. It
// returns the program's exit status. The command must not be started yet, and its streams must be files or nil.
func Run(cmd *exec.Cmd) (status int, err error) {
	runtime.LockOSThread() // a traced program belongs to one thread
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	main := cmd.Process.Pid
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", main), os.O_RDWR, 0)
	if err != nil {
		return 0, errors.Join(err, cmd.Process.Kill())
	}
	defer memory.Close()
	const noThread, killOnExit = 0x20000000, 0x100000 // __WNOTHREAD, PTRACE_O_EXITKILL
	threads := map[int]*Tiles{}
	for {
		var state syscall.WaitStatus
		id, err := syscall.Wait4(-1, &state, syscall.WALL|noThread, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		if state.Exited() || state.Signaled() {
			delete(threads, id)
			if id != main {
				continue
			}
			if state.Signaled() {
				return 0, fmt.Errorf("tiletest: %s was ended by the signal %v", cmd.Path, state.Signal())
			}
			return state.ExitStatus(), nil
		}
		signal := state.StopSignal()
		switch {
		case threads[id] == nil: // a new thread, or the program itself
			threads[id] = new(Tiles)
			if id == main {
				if err := syscall.PtraceSetOptions(id, syscall.PTRACE_O_TRACECLONE|killOnExit); err != nil {
					return 0, errors.Join(err, cmd.Process.Kill())
				}
			}
			signal = 0
		case signal == syscall.SIGTRAP: // of ptrace itself
			signal = 0
		case signal == syscall.SIGILL:
			err := doAll(id, threads[id], memory)
			if err == nil {
				signal = 0
			} else if !errors.Is(err, ErrOther) {
				return 0, errors.Join(err, cmd.Process.Kill())
			}
		}
		if err := syscall.PtraceCont(id, int(signal)); err != nil && err != syscall.ESRCH { // ESRCH: it was ended
			return 0, errors.Join(err, cmd.Process.Kill())
		}
	}
}

// doAll does instructions of tiles that a thread has stopped at, up to the next other one.
func doAll(id int, t *Tiles, memory *os.File) error {
	var m process
	m.memory = memory
	if err := syscall.PtraceGetRegs(id, &m.regs); err != nil {
		return err
	}
	for count := 0; ; count++ {
		var code [15]byte
		n, err := memory.ReadAt(code[:], int64(m.regs.Rip))
		if n == 0 {
			return err
		}
		length, err := t.Do(code[:n], &m)
		if errors.Is(err, ErrOther) && count > 0 {
			return syscall.PtraceSetRegs(id, &m.regs)
		}
		if err != nil {
			return err
		}
		m.regs.Rip += uint64(length)
	}
}

// A process is a thread that has stopped.
type process struct {
	regs   syscall.PtraceRegs
	memory *os.File
}

func (p *process) Register(n int) uint64 {
	r := &p.regs
	return [...]uint64{r.Rax, r.Rcx, r.Rdx, r.Rbx, r.Rsp, r.Rbp, r.Rsi, r.Rdi, r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15}[n]
}

func (p *process) Read(at uint64, b []byte) error {
	_, err := p.memory.ReadAt(b, int64(at))
	return err
}

func (p *process) Write(at uint64, b []byte) error {
	_, err := p.memory.WriteAt(b, int64(at))
	return err
}
