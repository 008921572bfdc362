using Spectre.Console;

namespace OrleansLog.Cli.Output;

/// <summary>
/// A table: drawn where a person looks at it, and otherwise columns aligned by spaces under one line of headings, for
/// <c>awk</c> and its kin. A column whose heading starts with <c>&gt;</c> is aligned to the right.
/// </summary>
internal sealed class TextTable(params string[] columns)
{
    private const string Gap = "  ";

    private readonly List<string[]> _rows = [];

    public int RowCount => _rows.Count;

    public void Add(params string[] cells) => _rows.Add(cells);

    public void WriteTo(Terminal terminal)
    {
        if (terminal.OutputIsTerminal) Draw(terminal.Output);
        else Align(terminal.Output);
    }

    private void Align(TextWriter output)
    {
        string[][] lines = [[.. columns.Select(Heading)], .. _rows];
        var widths = columns.Select((_, i) => lines.Max(line => line[i].Length)).ToArray();
        foreach (var line in lines)
            output.WriteLine(string.Join(Gap, line.Select((cell, i) => Pad(cell, widths[i], IsRight(columns[i])))).TrimEnd());
    }

    private void Draw(TextWriter output)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var column in columns)
            table.AddColumn(new TableColumn(new Text(Heading(column))) { Alignment = IsRight(column) ? Justify.Right : Justify.Left, NoWrap = true });
        foreach (var row in _rows) table.AddRow(row.Select(cell => new Text(cell)));
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);
    }

    private static string Pad(string cell, int width, bool right) => right ? cell.PadLeft(width) : cell.PadRight(width);

    private static bool IsRight(string column) => column.StartsWith('>');

    private static string Heading(string column) => column.TrimStart('>');
}
