using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Infra.Tests;

/// <summary>
/// A binding attribute with its constant arguments; an argument that is no constant reads null.
/// </summary>
sealed record Binding(
    string Attribute, IReadOnlyList<string?> Arguments, IReadOnlyDictionary<string, string?> Named, string Where)
{
    public string? Argument(int index) => index < Arguments.Count ? Arguments[index] : null;

    public string? this[string name] => Named.GetValueOrDefault(name);
}

/// <summary>A function of the app and everything it is bound to.</summary>
sealed record CodeFunction(string Name, IReadOnlyList<Binding> Bindings, string Where)
{
    public bool Uses(params IReadOnlyList<string> attributes) => Bindings.Any(b => attributes.Contains(b.Attribute));
}

/// <summary>A name the code uses, and where.</summary>
sealed record Use(string Name, string Where);

/// <summary>
/// What the app's code asks of the platform, read from its syntax: functions, bindings, settings, containers, entities,
/// metrics. Constants are followed by name, so that <c>Store.Events</c> reads <c>events</c>.
/// </summary>
sealed class SourceCode
{
    readonly Dictionary<string, ExpressionSyntax> constants = new(StringComparer.Ordinal);
    readonly List<(string Path, CompilationUnitSyntax Root)> files;
    readonly ILookup<string, AttributeSyntax> attributesByType;
    readonly List<Call> calls;

    public SourceCode(IEnumerable<(string Path, string Text)> sources)
    {
        files = [.. sources.Select(s => (s.Path, CSharpSyntaxTree.ParseText(s.Text).GetCompilationUnitRoot()))];
        foreach (var field in All<FieldDeclarationSyntax>().Where(f => f.Node.Modifiers.Any(SyntaxKind.ConstKeyword)))
        {
            foreach (var constant in field.Node.Declaration.Variables.Where(v => v.Initializer is not null))
                constants.TryAdd($"{TypeOf(field.Node)}.{constant.Identifier.Text}", constant.Initializer!.Value);
        }

        attributesByType = All<TypeDeclarationSyntax>()
            .SelectMany(t => t.Node.DescendantNodes().OfType<AttributeSyntax>()
                .Select(attribute => (Type: t.Node.Identifier.Text, attribute)))
            .ToLookup(pair => pair.Type, pair => pair.attribute);
        calls = [.. All<InvocationExpressionSyntax>().Select(CallOf)];
        Attributes = [.. All<AttributeSyntax>().Select(a => BindingOf(a.Node, a.Where))];
        Functions = [.. All<MethodDeclarationSyntax>().SelectMany(FunctionsOf)];
    }

    /// <summary>The app that is deployed: its functions and the libraries they stand on.</summary>
    public static SourceCode App { get; } = new(
        Repository.Files("functions", "*.cs").Concat(Repository.Files("src", "*.cs"))
            .Select(path => (path, Repository.Read(path))));

    public IReadOnlyList<CodeFunction> Functions { get; }

    /// <summary>Every attribute in the code, as if it were a binding.</summary>
    public IReadOnlyList<Binding> Attributes { get; }

    public IReadOnlyList<Use> Usings =>
        [.. All<UsingDirectiveSyntax>().Select(u => new Use(u.Node.Name?.ToString() ?? "", u.Where))];

    /// <summary>Settings read by name, as an environment variable spells it: <c>Cosmos__accountEndpoint</c>.</summary>
    public IReadOnlyList<Use> SettingsRead => [.. SettingReads().Where(u => u.Name.Length > 0)];

    /// <summary>Places that read a setting under a name made at run time, which nobody can check.</summary>
    public IReadOnlyList<string> SettingsReadBlindly =>
        [.. SettingReads().Where(u => u.Name.Length == 0).Select(u => u.Where)];

    /// <summary>Containers named by bindings, by calls of the SDK, by own arguments called container.</summary>
    public IReadOnlyList<Use> ContainersUsed =>
    [
        .. CosmosBindings().SelectMany(b => Uses(b.Where, b.Argument(1), b["LeaseContainerName"])),
        .. CallsOf("GetContainer").SelectMany(call => Uses(call.Where, Constant(call.Arguments[^1]))),
        .. ArgumentsNamed("container"),
    ];

    /// <summary>Containers of Blob Storage.</summary>
    public IReadOnlyList<Use> BlobContainersUsed => [.. Named(CallsOf("ContainerAsync"))];

    public IReadOnlyList<Use> DatabasesUsed =>
    [
        .. CosmosBindings().SelectMany(b => Uses(b.Where, b.Argument(0))),
        .. Named(CallsOf("GetDatabase", "CreateDatabaseIfNotExistsAsync")),
    ];

    /// <summary>Topics and queues that code sends to or receives from without a binding.</summary>
    public IReadOnlyList<Use> EntitiesUsed =>
    [
        .. Named(CallsOf(
            "CreateSender", "CreateReceiver", "CreateProcessor", "CreateSessionProcessor", "AcceptSessionAsync")),
    ];

    /// <summary>Instruments of the app's meters.</summary>
    public IReadOnlyList<Use> Metrics =>
    [
        .. Named(CallsOf(
            "CreateCounter", "CreateHistogram", "CreateGauge", "CreateUpDownCounter", "CreateObservableGauge",
            "CreateObservableCounter", "CreateObservableUpDownCounter")),
    ];

    /// <summary>Names events are stored under: the pairs of name and type in a collection initialiser.</summary>
    public IReadOnlySet<string> EventTypes => All<InitializerExpressionSyntax>()
        .Where(i => i.Node.Expressions is [var name, TypeOfExpressionSyntax, ..] && Constant(name) is not null)
        .Select(i => Constant(i.Node.Expressions[0])!)
        .ToHashSet(StringComparer.Ordinal);

    IEnumerable<Use> SettingReads()
    {
        foreach (var (access, where) in All<ElementAccessExpressionSyntax>())
        {
            if (IsSettings(access.Expression) && access.ArgumentList.Arguments is [var key])
                yield return new(Spelled(Constant(key.Expression, access)), where);
        }

        foreach (var call in calls.Where(c => c.Arguments.Count > 0))
        {
            var key = Spelled(Constant(call.Arguments[0]));
            var reads = call.Name is "GetEnvironmentVariable" or "GetSection" or "GetRequiredSection"
                || (call.Name is "GetValue" && IsSettings(call.Target));
            if (reads) yield return new(key, call.Where);
            else if (call.Name is "GetConnectionString") yield return new($"ConnectionStrings__{key}", call.Where);
        }
    }

    IEnumerable<Use> ArgumentsNamed(string parameter)
    {
        var places = new HashSet<(string Callee, int Index)>();
        foreach (var (list, _) in All<ParameterListSyntax>())
        {
            var callee = list.Parent switch
            {
                MethodDeclarationSyntax method => method.Identifier.Text,
                TypeDeclarationSyntax type => type.Identifier.Text,
                _ => null,
            };
            var index = list.Parameters.IndexOf(p => p.Type?.ToString() == "string"
                && p.Identifier.Text.Equals(parameter, StringComparison.OrdinalIgnoreCase));
            if (callee is not null && index >= 0) places.Add((callee, index));
        }

        return calls.Concat(Creations()).SelectMany(call => places
            .Where(p => p.Callee == call.Name && p.Index < call.Arguments.Count)
            .SelectMany(p => Uses(call.Where, Constant(call.Arguments[p.Index]))));
    }

    IEnumerable<Call> Creations()
    {
        foreach (var (creation, where) in All<BaseObjectCreationExpressionSyntax>())
        {
            var type = creation switch
            {
                ObjectCreationExpressionSyntax named => named.Type,
                _ => creation.FirstAncestorOrSelf<VariableDeclarationSyntax>()?.Type,
            };
            if (type is not null && creation.ArgumentList is { } list)
                yield return new(SimpleName(type), creation, [.. list.Arguments.Select(a => a.Expression)], where);
        }
    }

    static Call CallOf((InvocationExpressionSyntax Node, string Where) call) => new(
        SimpleName(call.Node.Expression),
        call.Node.Expression is MemberAccessExpressionSyntax member ? member.Expression : call.Node.Expression,
        [.. call.Node.ArgumentList.Arguments.Select(a => a.Expression)],
        call.Where);

    IEnumerable<Call> CallsOf(params IReadOnlyList<string> names) =>
        calls.Where(call => names.Contains(call.Name) && call.Arguments.Count > 0);

    IEnumerable<Use> Named(IEnumerable<Call> calls) =>
        calls.SelectMany(call => Uses(call.Where, Constant(call.Arguments[0])));

    IEnumerable<Binding> CosmosBindings() =>
        Attributes.Where(b => b.Attribute.StartsWith("CosmosDB", StringComparison.Ordinal));

    static IEnumerable<Use> Uses(string where, params IReadOnlyList<string?> names) =>
        names.OfType<string>().Select(name => new Use(name, where));

    IEnumerable<CodeFunction> FunctionsOf((MethodDeclarationSyntax Node, string Where) method) =>
        Attributed(method.Node.AttributeLists, "Function").Select(function => new CodeFunction(
            Constant(function.ArgumentList?.Arguments[0].Expression, method.Node) ?? method.Node.Identifier.Text,
            [.. method.Node.DescendantNodes().OfType<AttributeSyntax>().Concat(ResultAttributes(method.Node))
                .Select(attribute => BindingOf(attribute, method.Where))],
            method.Where));

    /// <summary>An output may be bound by the type a function returns: its properties carry the attributes.</summary>
    IEnumerable<AttributeSyntax> ResultAttributes(MethodDeclarationSyntax method) => method.ReturnType
        .DescendantNodesAndSelf().OfType<SimpleNameSyntax>().Select(name => name.Identifier.Text).Distinct()
        .SelectMany(name => attributesByType[name]);

    Binding BindingOf(AttributeSyntax attribute, string where)
    {
        var arguments = attribute.ArgumentList?.Arguments ?? default;
        return new(
            NameOf(attribute),
            [.. arguments.Where(a => a.NameEquals is null).Select(a => Constant(a.Expression, attribute))],
            arguments.Where(a => a.NameEquals is not null)
                .ToDictionary(a => a.NameEquals!.Name.Identifier.Text, a => Constant(a.Expression, attribute)),
            where);
    }

    string? Constant(ExpressionSyntax expression) => Constant(expression, expression);

    string? Constant(ExpressionSyntax? expression, SyntaxNode at) => expression switch
    {
        LiteralExpressionSyntax { Token.Value: string text } => text,
        LiteralExpressionSyntax literal => literal.Token.ValueText,
        ParenthesizedExpressionSyntax inner => Constant(inner.Expression, at),
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression } sum =>
            Constant(sum.Left, at) is { } left && Constant(sum.Right, at) is { } right ? left + right : null,
        InvocationExpressionSyntax { Expression: IdentifierNameSyntax { Identifier.Text: "nameof" } } name =>
            SimpleName(name.ArgumentList.Arguments[0].Expression),
        InterpolatedStringExpressionSyntax text => Interpolated(text, at),
        IdentifierNameSyntax name => Named($"{TypeOf(at)}.{name.Identifier.Text}"),
        MemberAccessExpressionSyntax { Expression: var owner } member =>
            Named($"{SimpleName(owner)}.{member.Name.Identifier.Text}"),
        _ => null,
    };

    string? Named(string constant) =>
        constants.TryGetValue(constant, out var value) ? Constant(value) : null;

    string? Interpolated(InterpolatedStringExpressionSyntax text, SyntaxNode at)
    {
        var parts = text.Contents.Select(part => part switch
        {
            InterpolatedStringTextSyntax literal => literal.TextToken.ValueText,
            InterpolationSyntax hole => Constant(hole.Expression, at),
            _ => null,
        }).ToList();
        return parts.Contains(null) ? null : string.Concat(parts);
    }

    IEnumerable<(TNode Node, string Where)> All<TNode>()
        where TNode : SyntaxNode =>
        files.SelectMany(file => file.Root.DescendantNodes().OfType<TNode>().Select(node =>
            (node, $"{file.Path}:{node.GetLocation().GetLineSpan().StartLinePosition.Line + 1}")));

    static bool IsSettings(ExpressionSyntax expression) =>
        SimpleName(expression) is var name
        && (name.EndsWith("settings", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith("configuration", StringComparison.OrdinalIgnoreCase));

    static string Spelled(string? key) => key?.Replace(":", "__", StringComparison.Ordinal) ?? "";

    static IEnumerable<AttributeSyntax> Attributed(SyntaxList<AttributeListSyntax> lists, string name) =>
        lists.SelectMany(l => l.Attributes).Where(a => NameOf(a) == name);

    static string NameOf(AttributeSyntax attribute)
    {
        const string Suffix = "Attribute";
        var name = SimpleName(attribute.Name);
        return name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name;
    }

    static string TypeOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<BaseTypeDeclarationSyntax>()?.Identifier.Text ?? "";

    static string SimpleName(SyntaxNode node) => node switch
    {
        SimpleNameSyntax name => name.Identifier.Text,
        QualifiedNameSyntax name => name.Right.Identifier.Text,
        MemberAccessExpressionSyntax member => member.Name.Identifier.Text,
        MemberBindingExpressionSyntax member => member.Name.Identifier.Text,
        _ => "",
    };

    sealed record Call(
        string Name, ExpressionSyntax Target, IReadOnlyList<ExpressionSyntax> Arguments, string Where);
}
