Console.WriteLine("composition follows");
