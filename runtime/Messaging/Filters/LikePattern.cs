namespace Runtime.Messaging.Filters;

/// <summary>SQL's wildcards: <c>%</c> is any run of characters, <c>_</c> is any one.</summary>
static class LikePattern
{
    /// <summary>Goes back to the last % only, so the work is at most text times pattern, whatever the input.</summary>
    public static bool Matches(string text, string pattern, char? escape)
    {
        int t = 0, p = 0, afterRun = -1, runFrom = 0;
        while (t < text.Length)
        {
            var escaped = p < pattern.Length && pattern[p] == escape && p + 1 < pattern.Length;
            if (!escaped && p < pattern.Length && pattern[p] == '%')
            {
                afterRun = ++p;
                runFrom = t;
            }
            else if (p < pattern.Length
                && (escaped ? pattern[p + 1] == text[t] : pattern[p] == '_' || pattern[p] == text[t]))
            {
                p += escaped ? 2 : 1;
                t++;
            }
            else if (afterRun >= 0)
            {
                p = afterRun;
                t = ++runFrom;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '%' && escape != '%')
        {
            p++;
        }

        return p == pattern.Length;
    }
}
