namespace Runtime.Cosmos.Query.Syntax;

enum BinaryOperator
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Concatenate,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    ShiftRightZero,
}

sealed class BinaryExpression(BinaryOperator kind, Expression left, Expression right) : Expression
{
    public BinaryOperator Kind => kind;

    public Expression Left => left;

    public Expression Right => right;

    public override IEnumerable<Expression> Parts => [left, right];

    public override Value Evaluate(Scope scope)
    {
        var (a, b) = (left.Evaluate(scope), right.Evaluate(scope));
        if (a.IsUndefined || b.IsUndefined)
        {
            return Value.Undefined;
        }

        switch (kind)
        {
            case BinaryOperator.Equal:
                return Value.Of(a == b);
            case BinaryOperator.NotEqual:
                return Value.Of(a != b);
            case <= BinaryOperator.GreaterOrEqual:
                return Ordered(a, b);
            case BinaryOperator.Concatenate:
                return a.IsString && b.IsString ? Value.Of(a.Text + b.Text) : Value.Undefined;
            default:
                return a.IsNumber && b.IsNumber ? Computed(a.Number, b.Number) : Value.Undefined;
        }
    }

    /// <summary>Only values of one kind have an order, and arrays and objects have none.</summary>
    Value Ordered(Value a, Value b)
    {
        if (a.Kind != b.Kind || a.Kind is ValueKind.Array or ValueKind.Object)
        {
            return Value.Undefined;
        }

        var order = ValueOrder.Compare(a, b);
        return Value.Of(kind switch
        {
            BinaryOperator.Less => order < 0,
            BinaryOperator.LessOrEqual => order <= 0,
            BinaryOperator.Greater => order > 0,
            _ => order >= 0,
        });
    }

    Value Computed(double a, double b) => Value.Of(kind switch
    {
        BinaryOperator.Add => a + b,
        BinaryOperator.Subtract => a - b,
        BinaryOperator.Multiply => a * b,
        BinaryOperator.Divide => a / b,
        BinaryOperator.Modulo => a % b,
        BinaryOperator.BitAnd => Bits(a) & Bits(b),
        BinaryOperator.BitOr => Bits(a) | Bits(b),
        BinaryOperator.BitXor => Bits(a) ^ Bits(b),
        BinaryOperator.ShiftLeft => Bits(a) << (int)b,
        BinaryOperator.ShiftRight => Bits(a) >> (int)b,
        _ => (uint)Bits(a) >>> (int)b,
    });

    /// <summary>Bit operators work on 32 bits, as in JavaScript.</summary>
    public static int Bits(double number) =>
        double.IsFinite(number) ? unchecked((int)(long)Math.IEEERemainder(Math.Truncate(number), 4294967296.0)) : 0;
}

sealed class UnaryExpression(char kind, Expression operand) : Expression
{
    public override IEnumerable<Expression> Parts => [operand];

    public override Value Evaluate(Scope scope) => operand.Evaluate(scope) is { IsNumber: true } value
        ? kind switch
        {
            '-' => Value.Of(-value.Number),
            '~' => Value.Of(~BinaryExpression.Bits(value.Number)),
            _ => value,
        }
        : Value.Undefined;
}

/// <summary>A LIKE pattern: <c>%</c> any text, <c>_</c> one character, <c>[a-c]</c> and <c>[^a-c]</c> sets.</summary>
sealed class LikeExpression(Expression operand, Expression pattern, char? escape) : Expression
{
    public override IEnumerable<Expression> Parts => [operand, pattern];

    public override Value Evaluate(Scope scope)
    {
        var (text, like) = (operand.Evaluate(scope), pattern.Evaluate(scope));
        return text.IsString && like.IsString
            ? Value.Of(Matches(text.Text, Compile(like.Text)))
            : Value.Undefined;
    }

    enum StepKind
    {
        Literal,
        One,
        Any,
        Set,
    }

    readonly record struct Step(StepKind Kind, char Character = '\0', string Set = "", bool IsNegated = false)
    {
        public bool Takes(char character) => Kind switch
        {
            StepKind.Literal => character == Character,
            StepKind.One => true,
            _ => InSet(character) != IsNegated,
        };

        bool InSet(char character)
        {
            for (var i = 0; i < Set.Length; i++)
            {
                if (i + 2 < Set.Length && Set[i + 1] == '-')
                {
                    if (character >= Set[i] && character <= Set[i + 2])
                    {
                        return true;
                    }

                    i += 2;
                }
                else if (Set[i] == character)
                {
                    return true;
                }
            }

            return false;
        }
    }

    List<Step> Compile(string like)
    {
        var steps = new List<Step>();
        for (var i = 0; i < like.Length; i++)
        {
            var end = like[i] == '[' ? like.IndexOf(']', i + 1) : -1;
            if (like[i] == escape && i + 1 < like.Length)
            {
                steps.Add(new Step(StepKind.Literal, like[++i]));
            }
            else if (end > i + 1)
            {
                var isNegated = like[i + 1] == '^';
                steps.Add(new Step(StepKind.Set, Set: like[(i + (isNegated ? 2 : 1))..end], IsNegated: isNegated));
                i = end;
            }
            else
            {
                steps.Add(like[i] switch
                {
                    '%' => new Step(StepKind.Any),
                    '_' => new Step(StepKind.One),
                    var character => new Step(StepKind.Literal, character),
                });
            }
        }

        return steps;
    }

    // Goes back only to the newest '%', so that no pattern can make it take exponential time.
    static bool Matches(string text, List<Step> steps)
    {
        var (at, step, retryStep, retryAt) = (0, 0, -1, 0);
        while (at < text.Length)
        {
            if (step < steps.Count && steps[step].Kind == StepKind.Any)
            {
                (retryStep, retryAt) = (step++, at);
            }
            else if (step < steps.Count && steps[step].Takes(text[at]))
            {
                (at, step) = (at + 1, step + 1);
            }
            else if (retryStep >= 0)
            {
                (step, at) = (retryStep + 1, ++retryAt);
            }
            else
            {
                return false;
            }
        }

        return steps.Skip(step).All(rest => rest.Kind == StepKind.Any);
    }
}
