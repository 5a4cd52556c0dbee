using Runtime.Local;

return await CommandLine.RunAsync(args);
