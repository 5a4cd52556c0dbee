namespace Tidy.Tests;

/// <summary>What fits on a screen can be understood on it.</summary>
public sealed class Sizes
{
    const int ColumnsMax = 120;
    const int FileLinesMax = 400;
    const int FunctionLinesMax = 70;

    [Fact]
    public void No_line_is_longer_than_120_columns() => Findings.None(
        $"Lines have at most {ColumnsMax} columns", Repository.Files.SelectMany(LongLines));

    [Fact]
    public void No_file_is_longer_than_400_lines() => Findings.None(
        $"Files have at most {FileLinesMax} lines", Repository.Files.SelectMany(LongFiles));

    [Fact]
    public void No_function_is_longer_than_70_lines() => Findings.None(
        $"Functions have at most {FunctionLinesMax} lines", Repository.CSharp.SelectMany(LongFunctions));

    [Fact]
    public void A_line_too_long_is_noticed()
    {
        Assert.Empty(LongLines(new("a.cs", new string('x', 120) + "\r\n" + new string('x', 120))));
        Assert.Equal(["a.cs:2: 121 columns"], LongLines(new("a.cs", "x\n" + new string('x', 121))));
    }

    [Fact]
    public void A_file_too_long_is_noticed()
    {
        Assert.Empty(LongFiles(new("a.cs", string.Concat(Enumerable.Repeat("x\n", 400)))));
        Assert.Equal(["a.cs:401: 401 lines"], LongFiles(new("a.cs", string.Concat(Enumerable.Repeat("x\n", 401)))));
    }

    [Theory]
    [InlineData("void F()\n{\n", "}\n")]
    [InlineData("int F(int x = 1) => x switch\n{\n", "};\n")]
    [InlineData("T F<T>() where T : class\n{\n", "}\n")]
    [InlineData("int P\n{\nget\n{\n", "}\n}\n")]
    [InlineData("public static bool operator >=(C a, C b)\n{\n", "}\n")]
    [InlineData("C() : base(\"{\")\n{\n", "}\n")]
    public void A_function_too_long_is_noticed(string head, string foot)
    {
        var frame = head.Split('\n').Length + foot.Split('\n').Length - 2;
        Assert.Empty(LongFunctions(Class(70)));
        var finding = Assert.Single(LongFunctions(Class(71)));
        Assert.StartsWith("a.cs:10: ", finding, StringComparison.Ordinal);
        Assert.EndsWith("71 lines", finding, StringComparison.Ordinal);

        SourceFile Class(int lines) => new(
            "a.cs",
            "namespace N;\n[A(1)]\nsealed class C : D<int>\n{\nint[] table = [\n1];\n[Fact]\n[Case(1,\n2)]\n"
            + head + string.Concat(Enumerable.Repeat("x = $\"{y(\"}\")}\"; // }\n", lines - frame)) + foot
            + "enum E\n{\n" + string.Concat(Enumerable.Repeat("A,\n", 100)) + "}\n}\n");
    }

    [Fact]
    public void A_long_table_is_not_a_function()
    {
        var rows = string.Concat(Enumerable.Repeat("1,\n", 100));
        Assert.Empty(LongFunctions(new("a.cs", "class C\n{\nint[] Table { get; } =\n{\n" + rows + "};\n}\n")));
    }

    static IEnumerable<string> LongLines(SourceFile file) => !file.IsCode ? [] : file.Lines
        .Select((line, i) => (Line: i + 1, line.Length))
        .Where(line => line.Length > ColumnsMax)
        .Select(line => file.At(line.Line, $"{line.Length} columns"));

    static IEnumerable<string> LongFiles(SourceFile file) => file.IsCode && file.Lines.Count > FileLinesMax
        ? [file.At(file.Lines.Count, $"{file.Lines.Count} lines")]
        : [];

    static IEnumerable<string> LongFunctions(SourceFile file) => Functions.Of(file.Text)
        .Where(function => function.LineCount > FunctionLinesMax)
        .Select(function => file.At(function.FirstLine, $"{function.Name} has {function.LineCount} lines"));
}
