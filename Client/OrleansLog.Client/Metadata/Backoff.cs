namespace OrleansLog.Client.Metadata;

/// <summary>The waits between the attempts at one thing: each twice the one before, up to a limit, give or take a fifth.</summary>
internal struct Backoff(ClientOptions options)
{
    private const double Jitter = 0.2;

    private readonly ClientOptions _options = options;
    private int _attempts;

    public TimeSpan Next() => TimeSpan.FromMilliseconds(MsAfter(_attempts++, _options));

    /// <summary>The wait after so many failed attempts (0 for the first), in milliseconds.</summary>
    public static double MsAfter(int attempts, ClientOptions options)
    {
        var ms = Math.Min(options.RetryBackoffMs * Math.Pow(2, Math.Min(attempts, 30)), options.RetryBackoffMsMax);
        return ms * (1 - Jitter + 2 * Jitter * options.Random.NextDouble());
    }
}
