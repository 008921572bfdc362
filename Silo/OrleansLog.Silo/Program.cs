using OrleansLog.Silo;
using OrleansLog.Silo.Options;

using var signals = new StopSignals();
var command = new SiloCommand(
    options => SiloProcess.RunAsync(options, Engines.StartAsync, Console.Out, signals.Stop),
    Path.Combine(Environment.CurrentDirectory, SettingSources.FileName),
    Environment.GetEnvironmentVariables());
return await command.RunAsync(args, Console.Out, Console.Error);
