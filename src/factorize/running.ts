/** Whether a process of that id runs on this machine. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, but for another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
