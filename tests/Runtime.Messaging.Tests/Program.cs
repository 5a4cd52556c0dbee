// The test assembly is started as a process of its own by CrashTests, to be killed.
return await Runtime.Messaging.Tests.CrashVictim.RunAsync(args);
