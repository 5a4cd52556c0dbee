using Runtime.DurableTask.Tests;

// The tests start this assembly as a process of its own, to kill it.
await KillTests.LiveUntilKilledAsync(args[0], args[1]);
