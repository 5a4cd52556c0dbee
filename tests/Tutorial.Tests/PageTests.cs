namespace Tutorial.Tests;

public sealed class PageTests
{
    [Fact]
    public void A_change_adds_and_removes_where_its_surroundings_are_found() => Assert.Equal(
        "a\nb\nnew\nd\n", Page.Changed("f", "a\nb\nc\nd\n", " b\n-c\n+new\n d\n"));

    [Fact]
    public void Several_changes_to_one_file_are_made_one_after_the_other() => Assert.Equal(
        "a\n1\nb\n2\n", Page.Changed("f", "a\nb\n", " a\n+1\n …\n b\n+2\n"));

    [Theory]
    [InlineData("a\nb\n", "no such place")]
    [InlineData("c\na\nc\n", "more than one such place")]
    public void A_change_without_exactly_one_place_is_refused(string text, string why) => Assert.Contains(
        why,
        Assert.Throws<InvalidOperationException>(() => Page.Changed("f", text, " c\n+d\n")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Only_blocks_that_are_code_are_taken()
    {
        var page = Page.Read(
            "# T\n\n```sh\nls\n```\n\n```csharp\n// src/A.cs\nclass A;\n```\n\n```diff\nB.cs\n b\n+c\n```\n");
        Assert.Equal(
            [new("src/A.cs", false, "class A;\n"), new Page.Block("B.cs", true, " b\n+c\n")], page.Blocks);
    }
}
