namespace OrleansLog.Benchmarks.Measuring;

/// <summary>Order statistics over what few rounds gave.</summary>
internal static class Statistics
{
    /// <summary>The middle value, or the mean of the two middle ones; 0 of none.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
