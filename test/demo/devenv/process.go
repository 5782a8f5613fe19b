package devenv

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// terminate asks a process to end.
const terminate = syscall.SIGTERM

func ownProcessGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// ownSession keeps a process running when the program that started it, its terminal or its process group ends.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// commandLine is what a process was started with, or "" when there is none (or only its exit status is left).
func commandLine(pid int) string {
	if pid <= 0 {
		return ""
	}
	if _, err := os.Stat("/proc/self/cmdline"); err == nil {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		if err != nil {
			return ""
		}
		return strings.ReplaceAll(string(data), "\x00", " ")
	}
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
