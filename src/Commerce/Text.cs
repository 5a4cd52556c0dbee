namespace Commerce;

/// <summary>What a piece of text from outside may look like.</summary>
static class Text
{
    /// <summary>One line: something readable, bounded, and safe to store as UTF-8.</summary>
    public static bool IsLine(string? text, int lengthMax) =>
        !string.IsNullOrWhiteSpace(text) && text.Length <= lengthMax && !text.Any(char.IsControl) && IsWellFormed(text);

    /// <summary>Lower-case letters, digits and dashes: product names in addresses, codes, workflow names.</summary>
    public static bool IsSlug(string? text, int lengthMax) =>
        text is { Length: > 0 } && text.Length <= lengthMax
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>
    /// A machine's explanation made fit to store: control characters and broken surrogates replaced, the rest cut.
    /// For undos and recorded answers, which must not fail over the look of a sentence.
    /// </summary>
    public static string Fit(string? text, int lengthMax)
    {
        if (string.IsNullOrWhiteSpace(text)) return "No reason given.";
        var fit = new char[Math.Min(text.Length, lengthMax)];
        for (var i = 0; i < fit.Length; i++)
        {
            var paired = (char.IsHighSurrogate(text[i]) && i + 1 < fit.Length && char.IsLowSurrogate(text[i + 1]))
                || (char.IsLowSurrogate(text[i]) && i > 0 && char.IsHighSurrogate(text[i - 1]));
            fit[i] = char.IsControl(text[i]) ? ' ' : char.IsSurrogate(text[i]) && !paired ? '?' : text[i];
        }

        return new(fit);
    }

    // A lone surrogate cannot be written as UTF-8, so it would be lost or fail half-way through storing.
    static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsSurrogatePair(text, i)) return false;
            i++;
        }

        return true;
    }
}
