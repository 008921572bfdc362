using OrleansLog.Cli;

return await Olog.RunAsync(args, Terminal.OfProcess());
